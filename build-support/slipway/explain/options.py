"""What may be chosen of an explanation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from slipway.explain.explanation import Kind


@dataclass(frozen=True)
class Options:
    """What may be chosen of an explanation.

    ``requests`` is the most that are sent; ``error`` the largest standard error that is enough to
    stop earlier. ``output`` and ``label`` (an index, or a text of the answer) say which score is
    explained. ``columns`` names the numbers of an [n] tensor. ``windows`` are parts of a picture's
    side; a recording's are four times as many.
    """

    method: Literal["auto", "shapley", "occlusion", "server"] = "auto"
    kind: Kind | None = None
    seed: int = 7
    requests: int = 200
    error: float = 0.0
    output: str | None = None
    label: str | None = None
    columns: tuple[str, ...] = ()
    windows: tuple[int, ...] = (4, 8)
    # bytes of one request; SageMaker takes 6 MiB
    largest_request: int = 6 * 2**20 - 2**16
    on_request: Callable[[int, int], None] | None = field(default=None, compare=False)
