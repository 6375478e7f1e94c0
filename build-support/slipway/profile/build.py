"""Make a reference profile from rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from slipway.errors import SlipwayError
from slipway.profile import texts
from slipway.profile.make_sketch import sketch_categories, sketch_numbers
from slipway.profile.profile import KINDS, Kind, Profile, TensorProfile
from slipway.profile.recognise import recognise
from slipway.profile.series import VALUE, measure, text_rows
from slipway.profile.sketch import CategorySketch, Sketch
from slipway.triton.datatypes import BYTES, Array, datatype_of

LEAST = 5  # rows that have a value which the profile names
COVERED = 0.05  # of the texts that have a frequent value, for the values to be compared
FEW = 200  # rows: less than that finds only a large drift


def build_profile(
    inputs: Mapping[str, Array | Sequence[Array]],
    outputs: Mapping[str, Array | Sequence[Array]],
    *,
    source: str,
    columns: Mapping[str, Sequence[str]] | None = None,
    kinds: Mapping[str, Kind] | None = None,
    least: int = LEAST,
    batches: bool = True,
) -> Profile:
    """Return the profile of tensors by name, the rows first in each.

    A tensor whose rows differ in shape is a sequence of arrays, each of rows of one shape.
    ``columns`` are the names of a tensor's columns; ``kinds`` override what is recognised. The
    order of the rows does not matter. ``batches`` is whether a request's first dimension is its
    rows.

    Raises:
        SlipwayError: there are no rows, or a kind does not fit a tensor.
    """
    columns, kinds = columns or {}, kinds or {}
    _refuse_unknown(kinds, {**inputs, **outputs})
    blocks = [{name: by_shape(a) for name, a in side.items()} for side in (inputs, outputs)]
    rows = _count_rows(blocks)
    sides: list[dict[str, TensorProfile]] = []
    for side in blocks:
        profiled = {}
        for name, arrays in side.items():
            try:
                kind = kinds.get(name) or recognise(max(arrays, key=len))
                profiled[name] = profile_tensor(arrays, kind, columns.get(name, ()), least)
            except SlipwayError as error:
                raise SlipwayError(error.what, where=f"tensor {name}", fix=error.fix) from error
        sides.append(profiled)
    notes = () if rows >= FEW else (f"{rows} rows are few: only a large drift can be found",)
    return Profile(rows, source, sides[0], sides[1], least, batches, notes)


def by_shape(arrays: Array | Sequence[Array]) -> list[Array]:
    """Return rows of any number of arrays as one array for each shape of a row."""
    shapes: dict[tuple[object, ...], list[Array]] = {}
    for array in [arrays] if isinstance(arrays, np.ndarray) else arrays:
        if array.ndim and len(array):
            shapes.setdefault((array.dtype.kind, array.shape[1:]), []).append(array)
    return [np.concatenate(group) for group in shapes.values()]


def profile_tensor(
    arrays: Sequence[Array], kind: Kind, columns: Sequence[str], least: int
) -> TensorProfile:
    """Return the profile of one tensor: arrays of rows of one shape each."""
    datatype = datatype_of(arrays[0]) or BYTES
    measured = [measure(array, kind, columns) for array in arrays]
    names = [name for name in measured[0] if all(name in each for each in measured)]
    series = {name: np.concatenate([each[name] for each in measured]) for name in names}
    pairs: dict[str, int] = {}
    if kind == "texts":
        written = [text for array in arrays for text in text_rows(array)]
        pairs = texts.count_pairs(written, least)
        if pairs:
            series[texts.FAMILIARITY] = texts.familiarity(written, pairs)
    sketches = {name: _sketch(values, least) for name, values in series.items()}
    notes: tuple[str, ...] = ()
    values = sketches.get(VALUE)
    if kind == "texts" and isinstance(values, CategorySketch) and not _covers(values):
        del sketches[VALUE]
        notes = (f"values are not compared: {values.distinct} different ones",)
    return TensorProfile(kind, datatype, sketches, pairs, notes)


def _sketch(values: Array, least: int) -> Sketch:
    if values.dtype.kind == "O":
        return sketch_categories(values.tolist(), least)
    return sketch_numbers(values, least)


def _covers(sketch: CategorySketch) -> bool:
    return sum(sketch.values.values()) >= COVERED * max(1, sketch.rows)


def _count_rows(sides: Sequence[Mapping[str, Sequence[Array]]]) -> int:
    """Return the rows of the tensor that has most: optional ones may lack some.

    Raises:
        SlipwayError: there are none, or a tensor has none.
    """
    counts = {name: sum(map(len, arrays)) for side in sides for name, arrays in side.items()}
    if not counts or not all(counts.values()):
        empty = ", ".join(name for name, count in counts.items() if not count)
        raise SlipwayError(
            f"no rows of {empty}" if empty else "no rows to profile",
            fix="give at least one row: --rows FILE",
        )
    return max(counts.values())


def _refuse_unknown(kinds: Mapping[str, str], tensors: Mapping[str, object]) -> None:
    for name, kind in kinds.items():
        if kind not in KINDS:
            raise SlipwayError(f"kind {kind!r} of {name}", fix=f"one of {', '.join(KINDS)}")
        if name not in tensors:
            raise SlipwayError(
                f"kind of {name!r}, which is not a tensor of the model",
                fix=f"the tensors are {', '.join(tensors)}",
            )
