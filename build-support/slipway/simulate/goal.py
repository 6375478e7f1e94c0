"""Search for the smallest fleet that is good enough, for each type of instance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from slipway.loadtest.scaling import HOURS
from slipway.simulate.instance_type import InstanceType
from slipway.simulate.outcome import Summary

MOST = 1024


@dataclass(frozen=True)
class Goal:
    """What a fleet has to reach: the p99 of all answers in seconds, the share of requests that find
    their model loaded, and at most how many get no answer."""

    p99_s: float
    hit_rate: float = 0.0
    unanswered: float = 0.001

    def missing(self, summary: Summary) -> list[str]:
        """Return what ``summary`` lacks; empty if it reaches the goal."""
        p99 = summary.latency["p99"]
        lacking = []
        unanswered = summary.not_ready + summary.failed
        if unanswered > self.unanswered:
            lacking.append(f"{unanswered:.2%} get no answer, and {self.unanswered:.2%} may")
        if p99 is None or p99 > self.p99_s:
            took = "none is answered" if p99 is None else f"p99 is {p99:.3g} s"
            lacking.append(f"{took}, and may be {self.p99_s:g} s")
        if summary.hit_rate < self.hit_rate:
            lacking.append(
                f"{summary.hit_rate:.2%} find their model loaded, not {self.hit_rate:.2%}"
            )
        return lacking


@dataclass(frozen=True)
class Candidate:
    """A fleet of one type that was simulated; ``usd`` is its cost in a month, if it is known.
    ``missing`` is what it lacks of the goal."""

    type: InstanceType
    instances: int
    summary: Summary
    usd: float | None
    missing: tuple[str, ...]

    @property
    def is_enough(self) -> bool:
        """Return whether it reaches the goal."""
        return not self.missing


type Try = Callable[[InstanceType, int], Summary]


def candidate(
    kind: InstanceType, instances: int, goal: Goal, price: float | None, simulate: Try
) -> Candidate:
    """Return one simulated fleet; ``price`` is in US dollars an hour."""
    summary = simulate(kind, instances)
    usd = None if price is None else summary.instances * price * HOURS
    return Candidate(kind, instances, summary, usd, tuple(goal.missing(summary)))


def search(
    kind: InstanceType, least: int, goal: Goal, price: float | None, simulate: Try
) -> Iterator[Candidate]:
    """Yield the fleets that were tried: twice as many from ``least`` on, then between the last two.

    More instances are taken to be no worse. The smallest that is enough is among them; if none of
    at most :data:`MOST` instances is, none of them is.
    """
    tried: dict[int, Candidate] = {}

    def is_enough(instances: int) -> bool:
        tried[instances] = candidate(kind, instances, goal, price, simulate)
        return tried[instances].is_enough

    high = least
    while not is_enough(high):
        yield tried[high]
        if high >= MOST or not _helps(tried, high):
            return
        high = min(MOST, 2 * high)
    yield tried[high]
    low = max((n for n in tried if n < high), default=high - 1)
    while high - low > 1 and low >= least:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
        yield tried[middle]


def _helps(tried: dict[int, Candidate], instances: int) -> bool:
    """Return whether the last doubling changed anything; a model that is too large never fits."""
    before = tried.get(instances // 2)
    if before is None:
        return True
    a, b = before.summary, tried[instances].summary
    return (a.hit_rate, a.latency, a.failed) != (b.hit_rate, b.latency, b.failed)


def recommend(candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the cheapest fleet that is enough; without prices, the one with the fewest cores, and
    of those the one with the least memory."""
    enough = [each for each in candidates if each.is_enough]
    return min(
        enough,
        key=lambda each: (
            each.usd if each.usd is not None else 0.0,
            each.instances * each.type.cores,
            each.instances * each.type.memory,
        ),
        default=None,
    )


def least_instances(rate: float, serve_s: float, cores: int) -> int:
    """Return the fewest instances whose cores are not busy all the time."""
    return max(1, math.ceil(rate * serve_s / cores + 1e-9))
