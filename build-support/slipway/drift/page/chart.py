"""Pictures of one series: its shares in the reference, next to those of what came in."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.drift.report import Distribution

WIDTH, HEIGHT = 320.0, 96.0  # of a histogram, in units of its view box
GAP = 0.16  # of a bin's width, between bins
MOST_VALUES = 10  # of a series of values that are drawn


@dataclass(frozen=True)
class Bar:
    """A rectangle of a histogram."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class ValuePair:
    """A value, and its shares from 0 to 1; ``lengths`` are those of its bars."""

    label: str
    reference: float
    window: float
    lengths: tuple[float, float]


@dataclass(frozen=True)
class Chart:
    """A histogram of ``bars`` with the numbers on its ``axis``, or bars of ``values``.

    ``summary`` says in words what the picture shows; ``more`` values are not drawn.
    """

    series: str
    moved: bool
    summary: str
    bars: tuple[Bar, ...] = ()
    axis: tuple[str, ...] = ()
    highest: str = ""
    values: tuple[ValuePair, ...] = ()
    more: int = 0


def draw_chart(series: str, distribution: Distribution, *, moved: bool) -> Chart:
    """Return the picture of ``distribution``: a histogram if it has edges, else its values."""
    if distribution.edges:
        return _histogram(series, distribution, moved)
    return _values(series, distribution, moved)


def _histogram(series: str, distribution: Distribution, moved: bool) -> Chart:
    both = (distribution.reference, distribution.window)
    highest = max((share for shares in both for share in shares), default=0.0) or 1.0
    count = max(1, len(distribution.reference))
    slot = WIDTH / count
    width = slot * (1 - GAP) / 2
    bars = []
    for position, (kind, shares) in enumerate(zip(("served", "candidate"), both, strict=True)):
        for index, share in enumerate(shares):
            height = HEIGHT * share / highest
            x = index * slot + slot * GAP / 2 + position * width
            bars.append(Bar(kind, x, max(0.0, HEIGHT - height), width, height))
    edges = distribution.edges
    middle = edges[len(edges) // 2]
    axis = [f"≤ {_number(edges[0])}", _number(middle), f"> {_number(edges[-1])}"]
    largest = max(
        range(count), key=lambda i: abs(distribution.window[i] - distribution.reference[i])
    )
    return Chart(
        series,
        moved,
        f"{series}: the share {_name(distribution, largest)} is"
        f" {distribution.window[largest]:.1%}, in the reference"
        f" {distribution.reference[largest]:.1%}",
        bars=tuple(bars),
        axis=tuple(axis if len(edges) > 2 else dict.fromkeys(axis)),
        highest=f"{highest:.0%}",
    )


def _values(series: str, distribution: Distribution, moved: bool) -> Chart:
    shares = list(
        zip(distribution.labels, distribution.reference, distribution.window, strict=True)
    )
    shares.sort(key=lambda item: -max(item[1:]))
    highest = max((max(item[1:]) for item in shares), default=0.0) or 1.0
    pairs = [
        ValuePair(label, reference, window, (reference / highest, window / highest))
        for label, reference, window in shares
    ]
    most = max(pairs, key=lambda pair: abs(pair.window - pair.reference), default=None)
    summary = (
        f"{series}: no values"
        if most is None
        else (
            f"{series}: the share of {most.label} is {most.window:.1%}, in the reference"
            f" {most.reference:.1%}"
        )
    )
    shown = tuple(pairs[:MOST_VALUES])
    return Chart(series, moved, summary, values=shown, more=len(pairs) - len(shown))


def _name(distribution: Distribution, index: int) -> str:
    edges = distribution.edges
    if index == 0:
        return f"up to {_number(edges[0])}"
    if index >= len(edges):
        return f"above {_number(edges[-1])}"
    return f"from {_number(edges[index - 1])} to {_number(edges[index])}"


def _number(value: float) -> str:
    return f"{value:.3g}"
