"""Reference rows: the user's, or drawn from what the file tells of its training's data."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from slipway.formats.datatypes import BYTES, numpy_type
from slipway.formats.format import Array, Converted, Feature, Tensor
from slipway.formats.rows_arrays import to_arrays
from slipway.formats.rows_file import read

TEXT = "O"  # the kind of numpy's type
COUNT = 200
ELEMENTS = 1_000_000  # of the largest tensor of all rows
FREE = 8  # the size that a free dimension gets
MISSING = 0.1  # of the values that may be missing
BEYOND = 0.1  # of a range, on both sides: no model is asked only what it was trained on
# what converters of text are known to treat in their own way
TEXTS = (
    *("a good day", "I can't believe it", "C3PO met R2D2", "naïve café", "ÉTÉ à Paris", ""),
    *("UPPER lower MiXed", "e-mail: a@b.org", "x", "2026 was £5.20", "two  spaces\tand a tab"),
    *("don't stop", "under_score", "ß straße", "一二三 四", "emoji 🙂 here", "I", "not bad at all"),
)


@dataclass(frozen=True)
class Rows:
    """Rows by the names of the inputs, the rows first; ``notes`` say what was done to them."""

    arrays: dict[str, Array]
    notes: tuple[str, ...] = ()


def find_rows(converted: Converted, file: Path | None, seed: int) -> Rows:
    """Return the rows of ``file``, or drawn ones.

    Raises:
        SlipwayError: the file has no rows, lacks a column, or has a value of another type.
    """
    if file is None:
        return Rows(draw(converted.inputs, seed))
    return Rows(*to_arrays(read(file), converted.inputs))


def draw(inputs: Sequence[Tensor], seed: int, count: int | None = None) -> dict[str, Array]:
    """Draw rows from the features' ranges, equal ones for equal arguments.

    The first rows are special: the middle of each range, its low end, its high end, and all values
    missing that may be.
    """
    random = np.random.default_rng(seed)
    largest = max(_elements(tensor) for tensor in inputs)
    count = count or max(4, min(COUNT, ELEMENTS // largest))
    return {tensor.name: _draw_tensor(tensor, count, random) for tensor in inputs}


def _draw_tensor(tensor: Tensor, count: int, random: np.random.Generator) -> Array:
    shape = (count, *_dims(tensor))
    features = tensor.features or (_any_feature(tensor),)
    dtype = numpy_type(tensor.datatype)
    if len(features) == 1:
        return _draw_feature(features[0], shape, dtype, random)
    columns = [_draw_feature(feature, shape[:-1], dtype, random) for feature in features]
    return np.stack(columns, axis=-1)


def _any_feature(tensor: Tensor) -> Feature:
    """Return a feature for a tensor of which nothing but its type is known."""
    if tensor.datatype == BYTES:
        return Feature(tensor.name, values=TEXTS)
    if tensor.datatype == "UINT8":  # an image's
        return Feature(tensor.name, 0, 255, integer=True)
    integer = not tensor.datatype.startswith("FP")
    # an integer may be an index, of which only the smallest are safe
    return Feature(tensor.name, 0 if integer else -1, 1, integer=integer)


def _draw_feature(
    feature: Feature, shape: tuple[int, ...], dtype: np.dtype[Any], random: np.random.Generator
) -> Array:
    if dtype.kind == TEXT or feature.values:
        values = feature.values or TEXTS
        choices = np.array([*values, None], dtype=object)[:-1]
        picked: Array = choices[random.integers(len(values), size=shape)]
        column = picked if dtype.kind == TEXT else picked.astype(dtype)
    elif feature.integer or dtype.kind in "iub":
        low, high = _integer_range(feature, dtype)
        column = random.integers(low, high, size=shape, endpoint=True).astype(dtype)
        _set_ends(column, low, high, (low + high) // 2)
    else:
        column = _draw_numbers(feature, shape, random).astype(dtype)
    if feature.missing and (dtype.kind == TEXT or dtype.kind == "f"):
        nothing = "" if dtype.kind == TEXT else np.nan
        column[random.random(shape) < MISSING] = nothing
        column[3:4] = nothing
    return column


def _draw_numbers(feature: Feature, shape: tuple[int, ...], random: np.random.Generator) -> Array:
    low, high = _finite(feature.low), _finite(feature.high)
    beyond = (high - low) * BEYOND
    column = random.uniform(low - beyond, high + beyond, shape)
    _set_ends(column, low, high, low + (high - low) / 2)
    return column


def _set_ends(column: Array, low: float, high: float, middle: float) -> None:
    for row, value in enumerate((middle, low, high)):
        column[row : row + 1] = value


def _finite(value: float) -> float:
    return float(np.clip(np.nan_to_num(value), -1e30, 1e30))


def _integer_range(feature: Feature, dtype: np.dtype[Any]) -> tuple[int, int]:
    if dtype.kind == "b":
        return 0, 1
    low, high = int(np.ceil(_finite(feature.low))), int(np.floor(_finite(feature.high)))
    info = np.iinfo(dtype if dtype.kind in "iu" else np.int64)
    low = min(max(low, int(info.min)), int(info.max))
    return low, max(low, min(high, int(info.max)))


def _elements(tensor: Tensor) -> int:
    return math.prod(_dims(tensor)) or 1


def _dims(tensor: Tensor) -> tuple[int, ...]:
    return tensor.example or tuple(FREE if dim < 0 else dim for dim in tensor.dims)


def answer_in_batches(
    answer: Callable[[dict[str, Array]], dict[str, Array]],
    rows: dict[str, Array],
    max_batch_size: int,
) -> dict[str, Array]:
    """Answer ``rows`` as a server would: the first alone, the others in batches, in order.

    With ``max_batch_size`` 0 each row is answered on its own, without the batch's dimension.
    """
    count = len(next(iter(rows.values())))
    if max_batch_size == 0:
        each = [answer({name: a[row] for name, a in rows.items()}) for row in range(count)]
        return {name: np.stack([one[name] for one in each]) for name in each[0]}
    starts = [0, *range(1, count, max_batch_size), count]
    parts = [
        answer({name: a[start:end] for name, a in rows.items()})
        for start, end in zip(starts, starts[1:], strict=False)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
