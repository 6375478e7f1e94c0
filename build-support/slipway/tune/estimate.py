"""Estimate from pairs of blocks what a candidate gains, and how much of it is noise.

A gain is the logarithm of a ratio to the config as it is, measured right next to it, so that what
slows the whole machine slows both. Above 0 is better in every measure.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slipway.tune.candidate import BASELINE, Candidate
from slipway.tune.sample import Block, Measured, Pair

RATE, P50, P99, CPU, MEMORY = "rate", "p50", "p99", "cpu", "memory"
MEASURES = (RATE, P50, P99, CPU, MEMORY)
# a smaller difference is none, however often it was measured
FLOORS = {RATE: 0.02, P50: 0.02, P99: 0.05, CPU: 0.02, MEMORY: 0.02}
TO_DEVIATION = 1.4826  # of a median absolute deviation, for a normal distribution
MEDIANS_ERROR = 1.2533  # that of a median to that of a mean
# share of searches that may change something without a cause. Races, which stop where luck is, make
# two or three of it
WRONG = 0.02


@dataclass(frozen=True)
class Clients:
    """The numbers of clients: throughput, p99 and processor time are those of the ``most``, the
    median latency that of the ``fewest``."""

    fewest: int
    most: int

    def of(self, measure: str) -> int:
        """Return how many clients ask where ``measure`` is taken."""
        return self.fewest if measure == P50 else self.most

    @property
    def numbers(self) -> tuple[int, ...]:
        """Return both, once if they are equal."""
        return tuple(dict.fromkeys((self.fewest, self.most)))


@dataclass(frozen=True)
class Noise:
    """What a gain must exceed to be one, by measure: ``least`` however often it was measured, and
    ``single`` where it was measured once; it falls with the root of the rounds."""

    least: Mapping[str, float]
    single: Mapping[str, float]

    def limit(self, measure: str, rounds: int) -> float:
        """Return the largest gain that is noise in so many rounds."""
        return max(self.least[measure], self.single.get(measure, 0.0) / math.sqrt(max(1, rounds)))

    def steps(self, gains: Mapping[str, float], rounds: int) -> dict[str, int]:
        """Return by how many times the noise each gain differs from none; 0 is equal.

        Whole steps make a proper order of "clearly better", which single comparisons with a margin
        do not: a may equal b and b equal c where a is better than c.
        """
        return {name: int(gain / self.limit(name, rounds)) for name, gain in gains.items()}


@dataclass(frozen=True)
class Point:
    """A candidate's estimate: ``values`` in natural units (1/s, s, bytes), ``gains`` as logarithms,
    ``steps`` as multiples of the noise, from ``rounds`` rounds."""

    candidate: Candidate
    values: Mapping[str, float]
    gains: Mapping[str, float]
    steps: Mapping[str, int]
    rounds: int


def gains_of(measured: Measured, clients: Clients) -> dict[str, list[float]]:
    """Return the gain of each round, by measure; measures that were not taken are left out."""
    gains: dict[str, list[float]] = {}
    for measure in (RATE, P50, P99, CPU):
        for pair in measured.pairs:
            if pair.clients == clients.of(measure):
                gain = _gain(measure, pair)
                if gain is not None:
                    gains.setdefault(measure, []).append(gain)
    if measured.memory is not None and all(measured.memory):
        mine, theirs = measured.memory
        gains[MEMORY] = [math.log(theirs / mine)]
    return gains


def estimate_noise(all_measured: Mapping[Candidate, Measured], clients: Clients) -> Noise:
    """Return the noise, from how the rounds of each candidate scatter around their median.

    The more candidates there are, the wider it is: of many, one is lucky. With a normal scatter, in
    one search of twenty at most something seems better that is not. The config as it is, loaded
    twice and compared with itself, has no gain: what it seems to have is noise, too.
    """
    least, single = dict(FLOORS), {}
    counted = sum(bool(measured.pairs) for measured in all_measured.values())
    sure = statistics.NormalDist().inv_cdf(1 - WRONG / len(MEASURES) / max(1, counted))
    for measure in (RATE, P50, P99, CPU):
        deviations: list[float] = []
        for measured in all_measured.values():
            gains = gains_of(measured, clients).get(measure, [])
            if len(gains) > 1:
                middle = statistics.median(gains)
                # n values have n - 1 degrees of freedom around their own middle
                wider = math.sqrt(len(gains) / (len(gains) - 1))
                deviations += [abs(gain - middle) * wider for gain in gains]
        if deviations:
            single[measure] = sure * MEDIANS_ERROR * TO_DEVIATION * statistics.median(deviations)
    again = all_measured.get(BASELINE)
    for measure, gains in ({} if again is None else gains_of(again, clients)).items():
        # a hair wider, so that it is not one whole step
        least[measure] = max(least[measure], 1.001 * abs(statistics.median(gains)))
    return Noise(least, single)


def estimate_points(
    all_measured: Mapping[Candidate, Measured], clients: Clients, rounds: int | None = None
) -> list[Point]:
    """Return the estimates of all candidates that count; the config as it is has no gain at all.

    What is noise depends on how often each was measured. With ``rounds`` all are judged as if it
    were so many times, so that none is ahead for having been measured more often.
    """
    noise = estimate_noise(all_measured, clients)
    counting = {c: m for c, m in all_measured.items() if m.failure is None and m.pairs}
    found = {candidate: gains_of(measured, clients) for candidate, measured in counting.items()}
    # one that was interrupted may not have been asked by each number of clients
    whole = {c: gains for c, gains in found.items() if {RATE, P50, P99} <= set(gains)}
    shared = set(MEASURES).intersection(*whole.values())
    common = _baseline_values([counting[candidate] for candidate in whole], clients)
    points = []
    for candidate in whole:
        measured = counting[candidate]
        gains = {
            measure: 0.0 if candidate == BASELINE else statistics.median(whole[candidate][measure])
            for measure in MEASURES
            if measure in shared and measure in common
        }
        values = {
            measure: common[measure] * math.exp(gain if measure == RATE else -gain)
            for measure, gain in gains.items()
        }
        done = min(measured.rounds(number) for number in clients.numbers)
        steps = noise.steps(gains, rounds or done)
        points.append(Point(candidate, values, gains, steps, done))
    return points


def _gain(measure: str, pair: Pair) -> float | None:
    mine, theirs = _value(measure, pair.candidate), _value(measure, pair.baseline)
    if not mine or not theirs:
        return None
    return math.log(mine / theirs if measure == RATE else theirs / mine)


def _value(measure: str, block: Block) -> float | None:
    value: float | None = getattr(block, measure)
    return value


def _baseline_values(measured: Sequence[Measured], clients: Clients) -> dict[str, float]:
    """Return what the config as it is reached, as the median over the whole run."""
    values: dict[str, list[float]] = {}
    for each in measured:
        for pair in each.pairs:
            for measure in (RATE, P50, P99, CPU):
                value = _value(measure, pair.baseline)
                if pair.clients == clients.of(measure) and value:
                    values.setdefault(measure, []).append(value)
        if each.memory is not None and all(each.memory):
            values.setdefault(MEMORY, []).append(float(each.memory[1]))
    return {measure: statistics.median(found) for measure, found in values.items()}
