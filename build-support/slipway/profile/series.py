"""Measure a tensor: series of one value a row, by the tensor's kind."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from slipway.errors import SlipwayError
from slipway.profile import images, texts
from slipway.profile.make_sketch import name_of
from slipway.profile.profile import Kind
from slipway.triton.datatypes import BYTES, Array, datatype_of

MOST_COLUMNS = 64
VALUE = "value"
NAMED = "categories"  # the kind of series that holds names, not numbers
LABEL = "label"

type Series = dict[str, Array]
"""One value a row by series: numbers as ``float64``, or names in an array of ``object``."""


def measure(array: Array, kind: Kind, columns: Sequence[str] = ()) -> Series:
    """Return the series of a tensor, the rows first.

    Raises:
        SlipwayError: the kind does not fit the tensor.
    """
    is_text = datatype_of(array) == BYTES or array.dtype.kind in "OSU"
    if is_text and kind in ("numbers", "scores", "arrays"):
        raise _unfit(kind, array)
    if kind == "images":
        return _images(array, is_text)
    if kind == "texts":
        return texts.measure_texts(text_rows(array)) | {VALUE: names_of(text_rows(array))}
    if kind == "scores":
        return _scores(array)
    if kind == "arrays":
        return _arrays(array)
    named = split_columns(array, columns)
    if kind == "categories":
        return {name: names_of(column.tolist()) for name, column in named.items()}
    return {name: column.astype(np.float64) for name, column in named.items()}


def split_columns(array: Array, columns: Sequence[str]) -> dict[str, Array]:
    """Return the columns of a tensor of at most two dimensions by name, or by number.

    Raises:
        SlipwayError: a row has too many values.
    """
    flat = array.reshape(len(array), -1)
    width = flat.shape[1]
    if width > MOST_COLUMNS:
        raise SlipwayError(
            f"a row has {width} values, and at most {MOST_COLUMNS} are columns",
            fix="profile it as arrays: --kind TENSOR=arrays",
        )
    names = list(columns) if len(columns) == width else [str(column) for column in range(width)]
    if width == 1:
        names = [VALUE]
    return {name: flat[:, column] for column, name in enumerate(names)}


def text_rows(array: Array) -> list[str]:
    """Return one text a row; several elements are joined by a space."""
    if array.size == len(array):
        return [texts.decode(element) for element in array.ravel().tolist()]
    return [" ".join(map(texts.decode, row.ravel().tolist())) for row in array]


def names_of(values: Sequence[object]) -> Array:
    """Return the names of values, as an array of ``object``."""
    names = {value: name_of(value) for value in set(values)}
    array = np.empty(len(values), dtype=object)
    array[:] = [names[value] for value in values]
    return array


def _images(array: Array, is_text: bool) -> Series:
    if is_text:
        if array.size != len(array):
            raise _unfit("images", array)
        return images.measure_files(array.ravel().tolist())
    if array.ndim not in (3, 4):
        raise _unfit("images", array)
    return images.measure_pixels(array)


def _scores(array: Array) -> Series:
    scores = array.reshape(len(array), -1).astype(np.float64)
    if scores.shape[1] < 2:
        raise _unfit("scores", array)
    missing = ~np.isfinite(scores).all(axis=1)
    scores = np.where(missing[:, np.newaxis], 0, scores)
    labels = np.array([*map(str, scores.argmax(axis=1).tolist()), None], dtype=object)[:-1]
    labels[missing] = ""
    return {LABEL: labels, "score": np.where(missing, np.nan, scores.max(axis=1))}


def _arrays(array: Array) -> Series:
    """Summarize rows of any shape; the sums are of double precision."""
    flat = array.reshape(len(array), -1).astype(np.float64)
    size = math.prod(array.shape[1:])
    finite = np.isfinite(flat)
    counts = np.maximum(finite.sum(axis=1), 1)
    none = ~finite.any(axis=1)
    filled = np.where(finite, flat, 0.0)
    mean = filled.sum(axis=1) / counts
    spread = np.sqrt((np.where(finite, flat - mean[:, np.newaxis], 0) ** 2).sum(axis=1) / counts)
    low = np.where(finite, flat, np.inf).min(axis=1, initial=np.inf)
    high = np.where(finite, flat, -np.inf).max(axis=1, initial=-np.inf)
    summaries = {"mean": mean, "deviation": spread, "low": low, "high": high}
    series = {name: _rounded(np.where(none, np.nan, v)) for name, v in summaries.items()}
    share = 1 - finite.sum(axis=1) / max(1, size)
    return series | {"missing": share, "size": np.full(len(array), float(size))}


def _rounded(values: Array) -> Array:
    """Round to six digits: sums differ in their last bits from one machine to another."""
    with np.errstate(divide="ignore", invalid="ignore"):
        digits = np.floor(np.log10(np.abs(values)))
    scale = 10.0 ** np.clip(np.nan_to_num(5 - digits, posinf=0, neginf=0), -290, 290)
    return np.asarray(np.round(values * scale) / scale)


def _unfit(kind: str, array: Array) -> SlipwayError:
    return SlipwayError(
        f"{datatype_of(array)} with rows of {list(array.shape[1:])} cannot be profiled as {kind}",
        fix="leave --kind out, and the kind is recognised",
    )
