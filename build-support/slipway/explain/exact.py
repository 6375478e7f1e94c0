"""Exact contributions that the server itself answers, such as ``treeshap_output`` of FIL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from slipway.explain.score import CONTRIBUTIONS, Score
from slipway.model.interface import Interface
from slipway.triton.datatypes import Array

CLOSE = 1e-3


@dataclass(frozen=True)
class ServerContributions:
    """Contributions in the order of the row's columns, and the bias; they add up to ``margin``."""

    output: str
    contributions: Array
    base: float
    margin: float
    meaning: str
    note: str


def find_contributions(interface: Interface, columns: int) -> str | None:
    """Return the output that has a number for each of ``columns`` columns, and one for the bias.

    It is named like contributions or SHAP values, and its last dimension is ``columns`` + 1.
    """
    for name, tensor in interface.outputs.items():
        if CONTRIBUTIONS.search(name) and tensor.dims and tensor.dims[-1] == columns + 1:
            return name
    return None


def server_contributions(
    output: str, answer: Mapping[str, Array], score: Score
) -> ServerContributions | None:
    """Return the contributions that ``answer`` (outputs of one row) has in ``output``.

    Those of several classes are the explained label's. A binary model has those of its label 1: for
    label 0 the signs are turned. ``None`` if they belong to no number of the score.
    """
    array = answer[output].astype(np.float64)
    table = array.reshape(-1, array.shape[-1])
    values = answer[score.output]
    index = score.index or 0
    sign = 1.0
    if len(table) == 1:
        if score.index == 0 and values.size == 2:
            sign = -1.0
    elif values.size != len(table):
        return None
    chosen = sign * table[index if len(table) > 1 else 0]
    margin = float(chosen.sum())
    value = score.of(answer)
    note = ""
    if abs(margin - value) <= CLOSE * max(1, abs(value)):
        meaning = score.name
    elif len(table) == 1 and abs(1 / (1 + np.exp(-margin)) - value) <= CLOSE:
        meaning = f"margin of {score.name}"
        note = f"the sigmoid of the margin is {value:.6g}, {score.name} itself"
    elif len(table) > 1 and abs(_softmax(table.sum(axis=1))[index] - value) <= CLOSE:
        meaning = f"margin of {score.name}"
        note = f"the softmax of all margins is {value:.6g}, {score.name} itself"
    else:
        return None
    return ServerContributions(output, chosen[:-1], float(chosen[-1]), margin, meaning, note)


def _softmax(margins: Array) -> Array:
    powers = np.exp(margins - margins.max())
    shares: Array = powers / powers.sum()
    return shares
