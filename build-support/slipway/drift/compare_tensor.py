"""Compare one tensor of a window with its profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from slipway.drift import categories, numbers
from slipway.drift.bins import Binned, psi_of
from slipway.drift.captured_rows import Rows, Window, join
from slipway.drift.dependence import effective_rows
from slipway.drift.floors import MISSING, OUT_OF_RANGE, PSI, UNSEEN
from slipway.drift.moved_rows import find_rows
from slipway.drift.report import MovedRow, Side, Statistic, TensorDrift
from slipway.errors import SlipwayError
from slipway.profile import images, texts
from slipway.profile.profile import TensorProfile
from slipway.profile.series import Series, measure, text_rows
from slipway.profile.sketch import CategorySketch, NumberSketch, Sketch
from slipway.triton.datatypes import Array


@dataclass(frozen=True)
class Check:
    """What all tensors of a check share; ``alpha`` is the chance of one statistic's alarm."""

    alpha: float
    floors: Mapping[str, float]
    least: int
    effective_rows: int | None
    block: timedelta | None
    images: int
    rows_shown: int


@dataclass(frozen=True)
class _Measured:
    """The series of a window, and the request and the row in it of each value."""

    series: Series
    requests: Array
    rows: Array


def compare_tensor(
    check: Check, window: Window, side: Side, name: str, profile: TensorProfile
) -> tuple[TensorDrift, list[str]]:
    """Return the drift of a tensor, and notes on what of it was not compared."""
    notes: list[str] = []
    measured = _measure(check, window, side, name, profile, notes)
    statistics: dict[str, Statistic] = {}
    distributions = {}
    moved: list[MovedRow] = []
    if measured is not None:
        for series, sketch in profile.series.items():
            if series not in measured.series:
                continue
            values = measured.series[series]
            binned = _binned(sketch, values)
            distributions[series] = binned.distribution()
            groups = window.groups(measured.requests, check.block)
            rows = effective_rows(binned.codes, groups)
            compared = _compare(check, series, sketch, values, binned, rows)
            statistics |= {f"{series} {each.name}": each for each in compared}
            reasons = {each.name for each in compared if each.moved}
            if reasons:
                moved += _rows(check, window, measured, series, sketch, binned, reasons)
    drift = TensorDrift(
        name, side, profile.kind, statistics, distributions, _first(moved, check.rows_shown)
    )
    return drift, notes


def _measure(
    check: Check, window: Window, side: Side, name: str, profile: TensorProfile, notes: list[str]
) -> _Measured | None:
    rows, thumbnails = window.tensors.get((side, name)), window.thumbnails.get((side, name))
    only: tuple[str, ...] | None = None
    if rows is None and thumbnails is not None and profile.kind == "images":
        rows, only = thumbnails, images.OF_THUMBNAILS
        notes.append(f"{name}: thumbnails, of which only {', '.join(only)} are compared")
    if rows is None:
        if (side, name) not in window.thumbnails:
            notes.append(f"{name}: in no request, not compared")
        return None
    if profile.kind == "images":
        rows = _fewer(rows, check.images, name, notes)
    columns = tuple(profile.series)
    parts = []
    for array, requests, within in rows.blocks():
        try:
            series = measure(array, profile.kind, columns)
        except SlipwayError as error:
            notes.append(f"{name}: {len(array)} rows not compared: {error.what}")
            continue
        if profile.pairs:
            series[texts.FAMILIARITY] = texts.familiarity(text_rows(array), profile.pairs)
        if only is not None:
            series = {key: values for key, values in series.items() if key in only}
        parts.append((series, requests, within))
    return _Measured(*join(parts)) if parts else None


def _fewer(rows: Rows, most: int, name: str, notes: list[str]) -> Rows:
    """Return at most about ``most`` rows, evenly over the window, and say so."""
    total = sum(map(len, rows.arrays))
    if total <= most:
        return rows
    step = -(-total // most)
    notes.append(f"{name}: every {step}th of {total} pictures is compared")
    kept, before = Rows(), 0
    for array, request in zip(rows.arrays, rows.requests, strict=True):
        picked = array[-before % step :: step]
        before += len(array)
        if len(picked):
            kept.arrays.append(picked)
            kept.requests.append(request)
    return kept


def _binned(sketch: Sketch, values: Array) -> Binned:
    if isinstance(sketch, NumberSketch):
        return numbers.bin_numbers(sketch, values)
    return categories.bin_names(sketch, values)


def _compare(
    check: Check, series: str, sketch: Sketch, values: Array, binned: Binned, rows: int
) -> list[Statistic]:
    """Return the statistics of a series that is worth ``rows`` independent rows."""
    if check.effective_rows is not None:
        rows = max(1, min(rows, check.effective_rows))
    distance, chance = psi_of(binned, rows, check.alpha)
    if isinstance(sketch, NumberSketch):
        found = numbers.distances(sketch, values)
        share = 1 - found.get(MISSING, 0.0)
        limits = numbers.thresholds(sketch, rows, round(rows * share), check.alpha)
        before = {MISSING: sketch.missing / max(1, sketch.rows), OUT_OF_RANGE: 0.0}
    else:
        found = categories.shares(sketch, binned)
        limits = categories.thresholds(sketch, rows, check.least, check.alpha)
        before = categories.reference_shares(sketch)
    found, limits = {PSI: distance, **found}, {PSI: chance, **limits}
    statistics = []
    for name, value in found.items():
        floor = check.floors[name]
        if name in (MISSING, UNSEEN):
            floor += before[name]
        limit = max(floor, limits.get(name, float("inf")))
        statistics.append(Statistic(name, series, value, limit, before.get(name)))
    return statistics


def _rows(
    check: Check,
    window: Window,
    measured: _Measured,
    series: str,
    sketch: Sketch,
    binned: Binned,
    reasons: set[str],
) -> list[MovedRow]:
    values = measured.series[series]
    frequent = Counter(values.tolist()) if isinstance(sketch, CategorySketch) else Counter[str]()
    rows = []
    for position, reason in find_rows(sketch, values, binned, reasons, check.rows_shown):
        value: float | str | None
        if isinstance(sketch, CategorySketch):
            value = values[position]
            # a rare text may be about a person: a report is read by more people than requests are
            value = value if frequent[str(value)] >= check.least and value else None
        else:
            value = float(values[position]) if np.isfinite(values[position]) else None
        event = window.events[int(measured.requests[position])]
        rows.append(MovedRow(event, int(measured.rows[position]), series, reason, value))
    return rows


def _first(rows: list[MovedRow], most: int) -> tuple[MovedRow, ...]:
    """Return at most ``most`` rows, in turns of their series."""
    by_series: dict[str, list[MovedRow]] = {}
    for row in rows:
        by_series.setdefault(row.series, []).append(row)
    turns = [(turn, row) for each in by_series.values() for turn, row in enumerate(each)]
    turns.sort(key=lambda item: item[0])
    return tuple(row for _, row in turns[:most])
