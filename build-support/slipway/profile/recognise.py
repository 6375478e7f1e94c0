"""Recognise the kind of a tensor by its type, its shape and its values."""

from __future__ import annotations

import numpy as np

from slipway.profile import images
from slipway.profile.profile import Kind
from slipway.profile.series import MOST_COLUMNS, text_rows
from slipway.triton.datatypes import BYTES, Array, datatype_of

MOST_CATEGORIES = 50
MOST_INTEGERS = 20  # different ones that are categories
ROWS_PER_CATEGORY = 5  # on average
TRIED = 20  # of the elements, whether they are pictures
MOST_CLASSES = 10_000


def recognise(array: Array) -> Kind:
    """Return the kind of a tensor, the rows first."""
    if datatype_of(array) == BYTES or array.dtype.kind in "OSU":
        return _of_bytes(array)
    row = array.shape[1:]
    if images.is_image_shape(row):
        return "images"
    width = array[:1].size
    if array.dtype.kind == "b":
        return "categories" if width <= MOST_COLUMNS else "arrays"
    is_vector = len(row) == 1 and 1 < width <= MOST_CLASSES
    if array.dtype.kind == "f" and is_vector and _are_scores(array):
        return "scores"
    if width > MOST_COLUMNS or width == 0:
        return "arrays"
    if array.dtype.kind in "iu":
        columns = array.reshape(len(array), -1).T
        if all(_are_few(len(np.unique(column)), len(array), MOST_INTEGERS) for column in columns):
            return "categories"
    return "numbers"


def _of_bytes(array: Array) -> Kind:
    elements = array.ravel()
    if elements.size == len(array):
        tried = elements[:: max(1, len(elements) // TRIED)].tolist()
        if sum(map(images.decodes, tried)) * 2 > len(tried):
            return "images"
    distinct = len(set(text_rows(array)))
    return "categories" if _are_few(distinct, len(array), MOST_CATEGORIES) else "texts"


def _are_few(distinct: int, rows: int, most: int) -> bool:
    return distinct <= most and distinct * ROWS_PER_CATEGORY <= rows


def _are_scores(array: Array) -> bool:
    """Return whether every row is a distribution over classes."""
    with np.errstate(invalid="ignore"):
        inside = (array >= -1e-6).all() and (array <= 1 + 1e-6).all()
        return bool(inside and (np.abs(array.sum(axis=1, dtype=np.float64) - 1) < 1e-2).all())
