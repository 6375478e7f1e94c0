"""Rows of tensors as the table that a model was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np

from slipway.formats.format import Array, Arrays
from slipway.formats.sklearn.column import Column


def table(rows: Arrays, columns: list[Column], separate: bool, framed: bool) -> Any:
    """Return what the model's ``predict`` takes: a DataFrame, an array, or a list of texts.

    Numbers are of double precision, as training's are; "" is NaN or None where the training
    had that. Columns that the model does not use are missing from a DataFrame's values (NaN).
    """
    if not separate:
        wide = next(iter(rows.values()))
        values = [_values(wide[:, i], column) for i, column in enumerate(columns)]
        array: Array = np.stack(values, axis=1)
        return (
            _frame(dict(zip([c.name for c in columns], values, strict=True))) if framed else array
        )
    count = len(next(iter(rows.values())))
    held = {
        c.name: _values(rows[c.name][:, 0], c) if c.name in rows else np.full(count, np.nan)
        for c in columns
    }
    if framed:
        return _frame(held)
    if len(columns) == 1 and columns[0].document:
        return list(held[columns[0].name])
    mixed = any(values.dtype == object for values in held.values())
    return np.stack([v.astype(object) if mixed else v for v in held.values()], axis=1)


def _frame(held: dict[str, Array]) -> Any:
    import pandas

    return pandas.DataFrame(held)


def _values(values: Array, column: Column) -> Array:
    if column.kind == "text":
        texts = [v.decode() if isinstance(v, bytes) else str(v) for v in values]
        return np.array([column.absent if text == "" else text for text in texts], dtype=object)
    return values.astype(np.int64 if column.kind == "integer" else np.float64)
