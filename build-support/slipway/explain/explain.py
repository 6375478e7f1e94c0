"""Explain one answer of a model that can only be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from slipway.errors import SlipwayError
from slipway.explain.explanation import Explanation, Kind
from slipway.model.interface import Interface
from slipway.triton.datatypes import Array

Inputs = Mapping[str, Array]
# takes at most max_batch_size rows
Ask = Callable[[Inputs], Mapping[str, Array]]


@dataclass(frozen=True)
class Options:
    """What may be chosen of an explanation.

    ``requests`` is the most that are sent; ``error`` the largest standard error that is enough to
    stop earlier. ``output`` and ``label`` (an index, or a text of the answer) say which score is
    explained. ``columns`` names the numbers of an [n] tensor.
    """

    method: Literal["auto", "shapley", "occlusion", "server"] = "auto"
    kind: Kind | None = None
    seed: int = 7
    requests: int = 200
    error: float = 0.0
    output: str | None = None
    label: str | None = None
    columns: tuple[str, ...] = ()
    # bytes of one request; SageMaker takes 6 MiB
    largest_request: int = 6 * 2**20 - 2**16
    on_request: Callable[[int, int], None] | None = field(default=None, compare=False)


def explain(
    ask: Ask,
    interface: Interface,
    inputs: Inputs,
    *,
    background: Inputs | None = None,
    options: Options | None = None,
) -> Explanation:
    """Return why ``ask`` answers ``inputs`` (one row, with its batch dimension) as it does.

    ``background`` are rows with typical values: what is left out of a row has theirs.

    Raises:
        SlipwayError: there are several rows, no part of them can be left out, or the output or
            label is not one of the answer.
    """
    raise SlipwayError("explanations are not there yet")
