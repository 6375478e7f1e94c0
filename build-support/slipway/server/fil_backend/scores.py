"""What the backend makes of the trees' sums: scores, probabilities or classes.

fil_backend, src/tl_model.h (TreeliteModel::predict); rapidsai/rapids-triton,
model/shared_state.hpp (output_shapes_) and triton/api/execute.hpp.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import treelite

from slipway.server.fil_backend.forest import Forest
from slipway.server.fil_backend.parameters import RENAMED_SINCE, Parameters

type Array = np.ndarray[Any, Any]


def output_shape(tensor: Mapping[str, Any]) -> list[int]:
    """Return the shape of an output for all rows, whose number is -1: without sizes of 1."""
    reshape = tensor.get("reshape")
    dims = tensor["dims"] if reshape is None else reshape.get("shape", [])
    sizes = [int(size) for size in dims]
    if not sizes or sizes[0] != -1:
        sizes.insert(0, -1)
    return [size for size in sizes if size != 1]


def needed(forest: Forest, parameters: Parameters, release: str) -> tuple[int, ...]:
    """Return how many numbers a row of the output may have; others are not what it writes."""
    if forest.labels:
        return (1,)
    pairs = parameters.probabilities and (parameters.classifies or release < RENAMED_SINCE)
    return (1, 2) if pairs and forest.classes == 1 else (forest.classes,)


def score(forest: Forest, parameters: Parameters, release: str, rows: Array, width: int) -> Array:
    """Return the output's numbers for ``rows`` (float32, rows × features), ``width`` for each.

    Raises:
        ValueError: every request of the batch fails.
    """
    try:
        raw = treelite.gtil.predict(forest.model, rows, nthread=parameters.threads)
    except treelite.TreeliteError as error:
        raise ValueError(str(error)) from error
    scores = np.asarray(raw, np.float32).reshape(len(rows), forest.classes)
    if forest.labels:
        # it begins with 0 for the first class: nothing below 0 is ever the highest
        return np.asarray(np.maximum(scores, 0).argmax(1), np.float32)
    if forest.classes > 1:
        return scores
    if parameters.probabilities and release < RENAMED_SINCE:
        return _in_place(scores[:, 0], width)
    if parameters.probabilities and parameters.classifies and width == 2:
        return np.concatenate([1 - scores, scores], axis=1)
    if parameters.classifies and not parameters.probabilities:
        return (scores > np.float32(parameters.threshold)).astype(np.float32)
    return scores


def _in_place(scores: Array, width: int) -> Array:
    """Return what releases before 25.09 make of the scores of two classes, ``width`` numbers a row.

    They write pairs over the scores, whatever the output's size: with one number a row, only the
    first half of the rows is read, and every other number is of the other class.
    """
    position = np.arange(len(scores) * width)
    values = scores[position // 2]
    return np.where(position % 2 == 1, values, 1 - values).astype(np.float32)


def width_of(shape: Sequence[int]) -> int | None:
    """Return the numbers that a row of an output has; ``None`` if a size is not known."""
    return None if any(size < 0 for size in shape[1:]) else prod(shape[1:])
