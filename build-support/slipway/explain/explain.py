"""Explain one answer of a model that can only be asked."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.errors import SlipwayError
from slipway.explain.asker import Ask, Asker, Row
from slipway.explain.explanation import Explanation
from slipway.explain.options import Options
from slipway.explain.question import Question
from slipway.explain.recognise import recognise
from slipway.model.interface import Interface
from slipway.triton.datatypes import Array

__all__ = ["Ask", "Options", "explain"]

Inputs = Mapping[str, Array]


def explain(
    ask: Ask,
    interface: Interface,
    inputs: Inputs,
    *,
    background: Inputs | None = None,
    options: Options | None = None,
) -> Explanation:
    """Return why ``ask`` answers ``inputs`` (one row, with its batch dimension) as it does.

    ``background`` are rows with typical values: what is left out of a row has theirs. Without any,
    it is missing, if the model takes that.

    Raises:
        SlipwayError: there are several rows, no part of them can be left out, the model refuses
            what is left, or the output or label is not one of the answer.
    """
    chosen = options or Options()
    row = _one_row(interface, inputs)
    kind, name = recognise(interface, row, chosen.kind)
    asker = Asker(
        ask,
        interface,
        requests=chosen.requests,
        largest=chosen.largest_request,
        on_request=chosen.on_request,
    )
    return Question(asker, row, kind, name, background, chosen).explained()


def _one_row(interface: Interface, inputs: Inputs) -> Row:
    if not interface.batches:
        return inputs
    counts = {len(array) for array in inputs.values()}
    if counts != {1}:
        raise SlipwayError(
            f"{max(counts, default=0)} rows, and one answer is explained at a time",
            fix="give one row, or choose one with --row",
        )
    return {name: array[0] for name, array in inputs.items()}
