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
    inputs: Mapping[str, Array],
    outputs: Mapping[str, Array],
    *,
    source: str,
    columns: Mapping[str, Sequence[str]] | None = None,
    kinds: Mapping[str, Kind] | None = None,
    least: int = LEAST,
    batches: bool = True,
) -> Profile:
    """Return the profile of tensors by name, the rows first in each.

    ``columns`` are the names of a tensor's columns; ``kinds`` override what is recognised. The
    order of the rows does not matter. ``batches`` is whether a request's first dimension is its
    rows.

    Raises:
        SlipwayError: there are no rows, tensors differ in rows, or a kind does not fit a tensor.
    """
    columns, kinds = columns or {}, kinds or {}
    tensors = {**inputs, **outputs}
    _refuse_unknown(kinds, tensors)
    rows = _count_rows(tensors)
    sides: list[dict[str, TensorProfile]] = []
    for side in (inputs, outputs):
        profiled = {}
        for name, array in side.items():
            try:
                kind = kinds.get(name) or recognise(array)
                profiled[name] = profile_tensor(array, kind, columns.get(name, ()), least)
            except SlipwayError as error:
                raise SlipwayError(error.what, where=f"tensor {name}", fix=error.fix) from error
        sides.append(profiled)
    notes = () if rows >= FEW else (f"{rows} rows are few: only a large drift can be found",)
    return Profile(rows, source, sides[0], sides[1], least, batches, notes)


def profile_tensor(array: Array, kind: Kind, columns: Sequence[str], least: int) -> TensorProfile:
    """Return the profile of one tensor, the rows first."""
    datatype = datatype_of(array) or BYTES
    series = measure(array, kind, columns)
    pairs: dict[str, int] = {}
    if kind == "texts":
        written = text_rows(array)
        pairs = texts.count_pairs(written, least)
        if pairs:
            series[texts.FAMILIARITY] = texts.familiarity_of_reference(written, least)
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


def _count_rows(tensors: Mapping[str, Array]) -> int:
    counts = {name: len(array) if np.ndim(array) else 0 for name, array in tensors.items()}
    if not any(counts.values()):
        raise SlipwayError("no rows to profile", fix="give at least one row: --rows FILE")
    if len(set(counts.values())) > 1:
        text = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise SlipwayError(
            f"tensors have different numbers of rows: {text}",
            fix="the first dimension of every tensor is the rows'",
        )
    return next(iter(counts.values()))


def _refuse_unknown(kinds: Mapping[str, str], tensors: Mapping[str, Array]) -> None:
    for name, kind in kinds.items():
        if kind not in KINDS:
            raise SlipwayError(f"kind {kind!r} of {name}", fix=f"one of {', '.join(KINDS)}")
        if name not in tensors:
            raise SlipwayError(
                f"kind of {name!r}, which is not a tensor of the model",
                fix=f"the tensors are {', '.join(tensors)}",
            )
