"""Search for the best candidate within a budget: coordinate descent, each step a race.

A race measures all values of one knob a few times, drops those that are clearly behind, and
measures the rest more often (successive halving). Where no single knob helps any more, pairs of
knobs of one model are tried, because they depend on each other: threads and instances share cores.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from slipway.tune.candidate import BASELINE, Candidate, Space
from slipway.tune.estimate import Clients, Point, estimate_points
from slipway.tune.frontier import ORDER, Goal, Limits, choose, rank
from slipway.tune.sample import Measured

FEW, ENOUGH = 3, 12  # rounds at first, and those of a candidate that may be chosen
BEHIND = 2  # so many times the noise behind the best of a race ends a candidate's
# share of the budget that is kept to measure the choice as often as it takes
RESERVE = 0.2


class Measurer(Protocol):
    """Measures candidates, and knows what was measured before."""

    @property
    def measured(self) -> Mapping[Candidate, Measured]:
        """Everything measured so far."""
        ...

    def measure(self, candidate: Candidate, rounds: int) -> None:
        """Measure a candidate until it has so many rounds; one that fails is recorded as failed."""
        ...

    def cost(self, candidate: Candidate, rounds: int) -> float:
        """Return how many seconds :meth:`measure` is expected to take."""
        ...

    def left(self) -> float:
        """Return how many seconds of the budget are left."""
        ...


class _Spent(Exception):
    """The budget does not allow the next measurement."""


class Search:
    """One search; ``ended`` says afterwards why it ended.

    ``exhaustive`` measures every combination instead, as long as the budget lasts.
    """

    def __init__(
        self,
        space: Space,
        measurer: Measurer,
        clients: Clients,
        goal: Goal,
        limits: Limits,
        random: np.random.Generator,
        *,
        exhaustive: bool = False,
    ) -> None:
        self.ended = ""
        self._space = space
        self._measurer = measurer
        self._clients = clients
        self._goal: Goal = goal
        self._limits = limits
        self._random = random
        self._exhaustive = exhaustive
        self._reserve = RESERVE * measurer.left()

    def run(self) -> Point | None:
        """Search until nothing helps or the budget is spent; return what the goal chooses.

        ``None`` if no candidate keeps the limits.
        """
        try:
            self._measure(BASELINE, 2 * FEW, keep=0.0)
            if self._exhaustive:
                self._race(list(self._space.every()))
                self.ended = "every combination was measured"
            else:
                self._descend()
                self.ended = "no change of one knob, or of two of a model, helps any more"
        except _Spent:
            self.ended = "the budget is spent"
        self._confirm()
        return self._choice()

    def points(self, rounds: int | None = None) -> list[Point]:
        """Return the estimates of all candidates that count; see :func:`estimate_points`."""
        return estimate_points(self._space.among(self._measurer.measured), self._clients, rounds)

    def _descend(self) -> None:
        current = BASELINE
        # the space has first what usually matters most; later the order is random
        knobs = list(self._space.knobs)
        while True:
            before = current
            for knob in knobs:
                current = self._race([current, *self._space.neighbours(current, knob)])
            if current != before:
                knobs = [knobs[int(index)] for index in self._random.permutation(len(knobs))]
                continue
            for pair in self._pairs(current):
                current = self._race([before, pair])
                if current != before:
                    break
            else:
                return

    def _pairs(self, current: Candidate) -> Iterator[Candidate]:
        """Yield, in random order, what differs from ``current`` in two knobs of one model."""
        found: dict[Candidate, None] = {}
        for one, other in itertools.combinations(self._space.knobs, 2):
            if one.model == other.model:
                for first in self._space.neighbours(current, one):
                    found |= dict.fromkeys(self._space.neighbours(first, other))
        known = {current, *self._measurer.measured}
        fresh = [candidate for candidate in found if candidate not in known]
        yield from (fresh[int(index)] for index in self._random.permutation(len(fresh)))

    def _race(self, rivals: Sequence[Candidate]) -> Candidate:
        """Return the best of ``rivals``; the first one, unless another is clearly better."""
        standing = list(rivals)
        rounds = FEW
        while True:
            for index in self._random.permutation(len(standing)):
                self._measure(standing[int(index)], rounds)
            points = {point.candidate: point for point in self.points(rounds)}
            alive = [points[each] for each in standing if each in points]
            leader = choose(alive, self._goal, self._limits) or choose(alive, self._goal, Limits())
            if leader is None:
                return rivals[0]
            standing = self._still_racing(alive, leader)
            if rounds >= ENOUGH or standing == [leader.candidate]:
                break
            rounds = min(ENOUGH, 2 * rounds)
        start = points.get(rivals[0])
        if start is not None and rank(start, self._goal) == rank(leader, self._goal):
            return rivals[0]
        return leader.candidate

    def _still_racing(self, alive: Sequence[Point], leader: Point) -> list[Candidate]:
        """Return the better half, without those that are clearly behind the leader."""
        first = rank(leader, self._goal)[0]
        near = [point for point in alive if rank(point, self._goal)[0] - first < BEHIND]
        decisive = next(name for name in ORDER[self._goal] if name in leader.gains)
        near.sort(key=lambda p: (p != leader, rank(p, self._goal), -p.gains[decisive]))
        return [point.candidate for point in near[: max(1, math.ceil(len(alive) / 2))]]

    def _measure(self, candidate: Candidate, rounds: int, keep: float | None = None) -> None:
        known = self._measurer.measured.get(candidate)
        if known is not None and (
            known.failure is not None
            or all(known.rounds(number) >= rounds for number in self._clients.numbers)
        ):
            return
        kept = self._reserve if keep is None else keep
        if self._measurer.left() - self._measurer.cost(candidate, rounds) < kept:
            raise _Spent
        self._measurer.measure(candidate, rounds)

    def _choice(self) -> Point | None:
        return choose(self.points(), self._goal, self._limits)

    def _confirm(self) -> None:
        """Measure the choice as often as it takes to be sure; a few lucky rounds win no search."""
        try:
            while (chosen := self._choice()) is not None and chosen.rounds < ENOUGH:
                self._measure(chosen.candidate, ENOUGH, keep=0.0)
        except _Spent:
            self.ended += ", before the choice was measured as often as it takes to be sure"
