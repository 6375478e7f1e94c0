"""The frontier of latency, throughput and memory, and which point of it a goal chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from slipway.tune.estimate import CPU, MEMORY, P50, P99, RATE, Point

Goal = Literal["throughput", "latency", "memory", "cpu"]
# what decides; the next one only where all before are equal within the noise
ORDER: dict[Goal, tuple[str, ...]] = {
    "throughput": (RATE, CPU, P99, P50, MEMORY),
    "latency": (P50, P99, RATE, CPU, MEMORY),
    "memory": (MEMORY, RATE, CPU, P99, P50),
    "cpu": (CPU, RATE, P99, P50, MEMORY),
}
SHOWN = (RATE, P50, P99, MEMORY)


@dataclass(frozen=True)
class Limits:
    """What a chosen config must hold: a p99 (s), and the memory of its processes (bytes)."""

    p99: float | None = None
    memory: float | None = None

    def hold(self, point: Point) -> bool:
        """Return whether a point keeps both; a measure that was not taken keeps none."""
        bounds = ((P99, self.p99), (MEMORY, self.memory))
        return all(
            bound is None or point.values.get(name, float("inf")) <= bound for name, bound in bounds
        )


def dominates(one: Point, other: Point) -> bool:
    """Return whether ``one`` is clearly better in a measure, and clearly worse in none."""
    steps = [(one.steps[name], other.steps[name]) for name in other.steps]
    return all(a >= b for a, b in steps) and any(a > b for a, b in steps)


def find_frontier(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other one dominates, the highest throughput first.

    Of points that are equal in every measure, the one with the fewest changes stands for all.
    """
    best = [point for point in points if not any(dominates(other, point) for other in points)]
    kept: dict[tuple[tuple[str, int], ...], Point] = {}
    for point in sorted(best, key=_simplicity):
        kept.setdefault(tuple(sorted(point.steps.items())), point)
    return sorted(kept.values(), key=lambda point: -point.gains.get(RATE, 0.0))


def choose(points: Sequence[Point], goal: Goal, limits: Limits) -> Point | None:
    """Return the point that ``goal`` chooses among those that keep ``limits``, if any does.

    Gains that are equal within the noise count as equal: then the next measure decides, and at the
    end the fewest changes. No point that keeps the limits dominates it.
    """
    allowed = [point for point in points if limits.hold(point)]
    if not allowed:
        return None
    return min(allowed, key=lambda point: (rank(point, goal), _simplicity(point)))


def rank(point: Point, goal: Goal) -> tuple[int, ...]:
    """Return what orders points for ``goal``; smaller is better."""
    return tuple(-point.steps[name] for name in ORDER[goal] if name in point.steps)


def _simplicity(point: Point) -> tuple[int, list[str]]:
    return len(point.candidate), [str(change) for change in point.candidate]
