"""The refusal of a conversion whose answers differ: rows, columns, causes, and what avoids it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from slipway.errors import SlipwayError
from slipway.formats.compare import Comparison, Difference
from slipway.formats.format import Array, Arrays, Cause, Converted

ROWS = 5  # that are shown
VALUES = 6  # of a row's inputs
TEXT = 40  # characters of a value


def refuse(
    source: Path,
    converted: Converted,
    rows: Arrays,
    answers: tuple[Arrays, Arrays],
    comparison: Comparison,
    tolerance: float,
    causes: Sequence[Cause],
) -> SlipwayError:
    """Return the error. ``answers`` are the framework's and those of what would be served."""
    mask = comparison.rows
    wrong = [difference for difference in comparison.differences if difference.wrong.any()]
    verb = "is" if mask.sum() == 1 else "are"
    lines = [
        f"{mask.sum()} of {len(mask)} rows {verb} answered differently by what would be served"
        f" ({converted.backend}; tolerance {tolerance:g})"
    ]
    for difference in wrong:
        lines.append(f"  output {_columns(difference)}: {_extent(difference)}")
    worst = sorted(np.flatnonzero(mask), key=lambda row: -_worst(wrong, row))[:ROWS]
    for row in worst:
        lines += [f"  row {row + 1}: {_change(d, row, answers)}" for d in wrong if d.rows[row]]
        lines.append(f"    of {_inputs(converted, rows, row)}")
    lines += [f"  cause: {cause.what}" for cause in causes]
    fixes = [cause.fix for cause in causes] or ["give rows of your own with --rows"]
    largest = max(float(d.amounts[d.wrong].max()) for d in wrong)
    if np.isfinite(largest):
        fixes.append(f"if {largest:.2g} does not matter: --tolerance {_above(largest)}")
    return SlipwayError("\n".join(lines), where=str(source), fix="; or ".join(fixes))


def _columns(difference: Difference) -> str:
    """Return the output's name, with the places in a row that differ."""
    places = np.argwhere(difference.wrong.any(axis=0))
    if difference.wrong.ndim == 1 or difference.wrong[0].size == 1:
        return repr(difference.output)
    shown = ", ".join("[" + ", ".join(map(str, place)) + "]" for place in places[:VALUES])
    return f"{difference.output!r} {shown}{', …' if len(places) > VALUES else ''}"


def _extent(difference: Difference) -> str:
    count = int(difference.rows.sum())
    number = f"{count} {'row' if count == 1 else 'rows'}"
    largest = float(difference.amounts[difference.wrong].max())
    return f"{number}, by up to {largest:.2g}" if np.isfinite(largest) else f"{number}, not equal"


def _worst(differences: Sequence[Difference], row: int) -> float:
    return max(float(np.where(d.wrong[row], d.amounts[row], 0.0).max()) for d in differences)


def _change(difference: Difference, row: int, answers: tuple[Arrays, Arrays]) -> str:
    amounts = np.where(difference.wrong[row], difference.amounts[row], -1.0)
    place = np.unravel_index(int(np.argmax(amounts)), amounts.shape)
    at = "".join(f"[{index}]" for index in place) if amounts.size > 1 else ""
    before, after = (_value(side[difference.output][row][place]) for side in answers)
    return f"{difference.output}{at} is {before} in the framework, {after} as served"


def _inputs(converted: Converted, rows: Arrays, row: int) -> str:
    shown = [
        f"{name}={_value(value)}"
        for tensor in converted.inputs
        for name, value in _named(tensor.name, rows[tensor.name][row], tensor.features)
    ]
    return ", ".join(shown[:VALUES]) + (f", … {len(shown) - VALUES} more" * (len(shown) > VALUES))


def _named(name: str, values: Array, features: Sequence[object]) -> list[tuple[str, object]]:
    flat = np.asarray(values, dtype=object).reshape(-1)
    if flat.size == 1:
        return [(name, flat[0])]
    names = [getattr(feature, "name", name) for feature in features]
    if len(names) != flat.size:
        names = [f"{name}[{at}]" for at in range(flat.size)]
    return list(zip(names, flat, strict=True))


def _value(value: object) -> str:
    if isinstance(value, float | np.floating):
        return f"{float(value):.6g}"
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    text = text if len(text) <= TEXT else f"{text[:TEXT]}…"
    return repr(text) if isinstance(value, str | bytes) else text


def _above(largest: float) -> str:
    """Return a number of one digit that is above ``largest``."""
    exponent = int(np.floor(np.log10(largest)))
    return f"{(np.floor(largest / 10**exponent) + 1) * 10.0**exponent:.1g}"
