"""A row of a table: each number or text is a column; one left out has another row's value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from slipway.errors import SlipwayError
from slipway.explain.explanation import Kind, Part
from slipway.explain.options import Options
from slipway.explain.shapley.estimate import fitting_backgrounds
from slipway.model.interface import Interface
from slipway.triton.datatypes import BYTES, Array

MOST_BACKGROUNDS = 20
SHOWN = 40  # characters of a value


class Column(NamedTuple):
    """An element of an input; ``position`` counts its elements from 0."""

    name: str
    input: str
    position: int


@dataclass(frozen=True)
class Columns:
    """One row, its columns, and the background rows that say what is usual.

    ``row_tensors`` has no batch dimension, ``backgrounds`` has the rows' dimension first.
    """

    columns: tuple[Column, ...]
    row_tensors: Mapping[str, Array]
    backgrounds: Mapping[str, Array]
    is_sample: bool = False
    statements: tuple[str, ...] = ()
    kind: Kind = "row"
    input: str = ""

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return a part for each column."""
        return tuple(
            Part(column.name, show(self.row_tensors[column.input].ravel()[column.position]), 0.0)
            for column in self.columns
        )

    @property
    def changes(self) -> Array:
        """Return where a background row has another value, [background rows, columns]."""
        count = len(next(iter(self.backgrounds.values())))
        differs = np.empty((count, len(self.columns)), dtype=bool)
        for number, column in enumerate(self.columns):
            own = self.row_tensors[column.input].ravel()[column.position]
            others = self.backgrounds[column.input].reshape(count, -1)[:, column.position]
            differs[:, number] = [not _same(own, other) for other in others]
        return differs

    def row(self, background: int, coalition: Array) -> Mapping[str, Array]:
        """Return the row with the background's values in the columns outside ``coalition``."""
        tensors = dict(self.row_tensors)
        for number in np.flatnonzero(~coalition):
            name, position = self.columns[number].input, self.columns[number].position
            if tensors[name] is self.row_tensors[name]:
                tensors[name] = tensors[name].copy()
            tensors[name].flat[position] = self.backgrounds[name][background].flat[position]
        return tensors


def columns_of(
    interface: Interface,
    row: Mapping[str, Array],
    background: Mapping[str, Array] | None,
    options: Options,
    room: int,
) -> Columns:
    """Return the columns of ``row``, with as many background rows as ``room`` rows allow.

    Raises:
        SlipwayError: there are no background rows, and the model does not take missing values.
    """
    columns = name_columns(row, options.columns)
    is_sample = False
    most = fitting_backgrounds(len(columns), MOST_BACKGROUNDS, room)
    if background is not None:
        rows = choose_backgrounds(background, row, most, options.seed)
        count = len(next(iter(rows.values())))
        statements = [f"what is left out has the values of {count} background rows"]
        wanted = min(len(background[next(iter(row))]), MOST_BACKGROUNDS)
        is_sample = count < wanted
        if is_sample:
            statements.append(f"more --requests have room for {wanted} background rows")
    else:
        missing = missing_row(interface, row)
        if missing is None:
            raise SlipwayError(
                "there is no background: rows that say which values are usual",
                fix="give some: --background FILE with rows, golden cases in models/NAME/tests/"
                "cases, or a profile (slipway profile NAME)",
            )
        rows, statements = missing, ["what is left out is missing, which the model takes"]
    absent = [name for name in interface.inputs if name not in row]
    if absent:
        statements.append(f"not given, and left so: {', '.join(absent)}")
    return Columns(columns, row, rows, is_sample, tuple(statements))


def label_columns(
    interface: Interface, row: Mapping[str, Array], names: Sequence[str]
) -> list[tuple[str, str]]:
    """Return name and value of each column of a row, with those of inputs that are not given."""
    columns = name_columns(row, names)
    labelled: list[tuple[str, str]] = []
    for name in interface.inputs:
        if name not in row:
            labelled.append((name, "not given"))
        labelled += [
            (column.name, show(row[name].ravel()[column.position]))
            for column in columns
            if column.input == name
        ]
    return labelled


def name_columns(row: Mapping[str, Array], names: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns of a row; ``names`` are those of its one tensor of several numbers.

    Raises:
        SlipwayError: there are fewer or more names than numbers.
    """
    columns = []
    several = [name for name, array in row.items() if array.size > 1]
    if names and (len(several) != 1 or row[several[0]].size != len(names)):
        sizes = ", ".join(f"{name} {row[name].size}" for name in several) or "none of several"
        raise SlipwayError(
            f"{len(names)} names of columns, and the inputs have: {sizes}",
            fix="give a name to each number of the one input that has several, or none",
        )
    for name, array in row.items():
        for position in range(array.size):
            shown = name
            if array.size > 1:
                shown = names[position] if names else f"{name}[{position}]"
            columns.append(Column(shown, name, position))
    return tuple(columns)


def missing_row(interface: Interface, row: Mapping[str, Array]) -> Mapping[str, Array] | None:
    """Return one background row of missing values, if each input is optional or can be NaN."""
    tensors = {}
    for name, array in row.items():
        declared = interface.inputs[name]
        if declared.datatype == BYTES and declared.optional:
            tensors[name] = np.full((1, *array.shape), b"", dtype=object)
        elif array.dtype.kind == "f" and declared.optional:
            tensors[name] = np.full((1, *array.shape), np.nan, dtype=array.dtype)
        else:
            return None
    return tensors


def choose_backgrounds(
    backgrounds: Mapping[str, Array], row: Mapping[str, Array], most: int, seed: int
) -> Mapping[str, Array]:
    """Return at most ``most`` of the background rows, drawn from ``seed``, in their order.

    Raises:
        SlipwayError: an input is missing in them, or has another shape than in the row.
    """
    for name, array in row.items():
        if name not in backgrounds or backgrounds[name].shape[1:] != array.shape:
            got = list(backgrounds[name].shape[1:]) if name in backgrounds else "nothing"
            raise SlipwayError(
                f"the background rows have {got} for {name!r}, the row {list(array.shape)}",
                fix="give rows with the inputs of the one that is explained",
            )
    count = len(backgrounds[next(iter(row))])
    if not count:
        raise SlipwayError("there is no background row", fix="give one at least")
    chosen = np.arange(count)
    if count > most:
        chosen = np.sort(np.random.default_rng(seed).permutation(count)[:most])
    return {name: backgrounds[name][chosen] for name in row}


def show(value: object) -> str:
    """Return a value as text, shortened."""
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, str):
        return value if len(value) <= SHOWN else value[: SHOWN - 1] + "…"
    if isinstance(value, (float, np.floating)):
        return "missing" if np.isnan(value) else f"{float(value):.6g}"
    return str(value)


def _same(one: object, other: object) -> bool:
    return one == other or (one != one and other != other)
