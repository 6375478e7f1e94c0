"""Report lines with two figures each, and whether a line reached its target."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """``ours`` compared with ``theirs``, formatted; ``met`` is None without a target."""

    what: str
    ours: str
    theirs: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None


@dataclass(frozen=True)
class Report:
    """A table; ``theirs`` names what was compared with."""

    title: str
    theirs: str
    rows: list[Row]


def compared(
    what: str,
    ours: float,
    theirs: float,
    show: Callable[[float], str],
    *,
    at_most: float | None = None,
    at_least: float | None = None,
) -> Row:
    """Return a line whose target, if it has one, is a limit for ``ours / theirs``."""
    ratio = ours / theirs
    target, met = _judged(ratio, at_most, at_least, lambda limit: f"{limit:g}×")
    return Row(what, show(ours), show(theirs), f"{ratio:.2f}×", target, met)


def faster(
    what: str, ours: float, theirs: float, show: Callable[[float], str], *, at_least: float
) -> Row:
    """Return a line of two times, whose target is how many times as fast ours must be."""
    speed = theirs / ours
    target, met = _judged(speed, None, at_least, lambda limit: f"{limit:g}× as fast")
    return Row(what, show(ours), show(theirs), f"{speed:.1f}× as fast", target, met)


def alone(
    what: str, ours: float, show: Callable[[float], str], *, at_most: float | None = None
) -> Row:
    """Return a line without a counterpart; its target is a limit for ``ours`` itself."""
    target, met = _judged(ours, at_most, None, show)
    return Row(what, show(ours), target=target, met=met)


def interleaved(repeats: int, actions: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """Return each action's median over ``repeats`` rounds, in each of which every action runs once.

    Other load on the machine then affects all actions alike.
    """
    measured: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(repeats):
        for name, action in actions.items():
            measured[name].append(action())
    return {name: median(values) for name, values in measured.items()}


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def seconds(value: float) -> str:
    """Return for example ``0.27 s``."""
    return f"{value:.2f} s"


def milliseconds(value: float) -> str:
    """Return for example ``15.2 ms``."""
    return f"{value:.1f} ms"


def megabytes(value: float) -> str:
    """Return for example ``34.1 MB`` for a number of bytes."""
    return f"{value / 1e6:.1f} MB"


def number(value: float) -> str:
    """Return for example ``1,420`` for a count."""
    return f"{value:,.0f}"


def a_second(value: float) -> str:
    """Return for example ``520 /s``."""
    return f"{value:,.0f} /s"


def _judged(
    value: float,
    at_most: float | None,
    at_least: float | None,
    show: Callable[[float], str],
) -> tuple[str, bool | None]:
    if at_most is not None:
        return f"≤ {show(at_most)}", value <= at_most
    if at_least is not None:
        return f"≥ {show(at_least)}", value >= at_least
    return "", None
