"""Walks through random orders of the players, forwards and backwards."""

from __future__ import annotations

import math

import numpy as np

from slipway.explain.shapley.game import AskedValues
from slipway.triton.datatypes import Array


class Walks:
    """Rounds of pairs: in each round, every background row gets one permutation and its reverse."""

    def __init__(self, values: AskedValues, generator: np.random.Generator) -> None:
        self.values = values
        self.rounds: list[Array] = []  # contributions, [players]
        self._spreads: list[Array] = []  # half the difference within pairs, [backgrounds, players]
        self._each: list[Array] = []  # contributions, [backgrounds, players]
        self._generator = generator
        self._drawn: list[list[Array]] = []

    def draw(self, rows: int, batch: int) -> int:
        """Draw rounds that need about four batches, and at most ``rows``; return how many."""
        needed: list[tuple[int, Array]] = []
        count = 0
        while True:
            if len(self._drawn) <= count:
                self._drawn.append(self._permutations())
            needed += self._coalitions(self._drawn[count])
            size = len(self.values.unknown(needed))
            if size > rows:
                return count
            count += 1
            if size >= 4 * batch or count >= 64:
                return count

    def walk(self, count: int) -> None:
        """Ask the next ``count`` rounds, and add their contributions."""
        chosen, self._drawn = self._drawn[:count], self._drawn[count:]
        self.values.ask([c for drawn in chosen for c in self._coalitions(drawn)])
        for drawn in chosen:
            there = np.stack([self._gains(k, order) for k, order in enumerate(drawn)])
            back = np.stack([self._gains(k, order[::-1]) for k, order in enumerate(drawn)])
            self.rounds.append(((there + back) / 2).mean(axis=0))
            self._spreads.append((there - back) / 2)
            self._each.append((there + back) / 2)

    def contributions(self) -> Array:
        """Return the mean of all rounds."""
        mean: Array = np.mean(self.rounds, axis=0)
        return mean

    def errors(self) -> Array:
        """Return the standard errors: between rounds, or within the pairs of a single one.

        Of a sample of background rows, it is that between them, which has the walks' in it.
        """
        if self.values.game.is_sample:
            return standard_errors(np.mean(self._each, axis=0))
        if len(self.rounds) > 1:
            spread: Array = np.std(self.rounds, axis=0, ddof=1) / math.sqrt(len(self.rounds))
            return spread
        within = self._spreads[0]
        single: Array = np.sqrt((within**2).sum(axis=0)) / len(within)
        return single

    def _permutations(self) -> list[Array]:
        """Return one order of the players that change something, for each background row."""
        changes = self.values.game.changes
        return [self._generator.permutation(np.flatnonzero(row)) for row in changes]

    def _coalitions(self, drawn: list[Array]) -> list[tuple[int, Array]]:
        return [
            (k, coalition)
            for k, order in enumerate(drawn)
            for way in (order, order[::-1])
            for coalition in self._prefixes(k, way)
        ]

    def _prefixes(self, k: int, order: Array) -> Array:
        """Return the coalitions of a walk, from nobody to everyone: [len(order) + 1, players]."""
        game = self.values.game
        prefixes = np.tile(~game.changes[k], (len(order) + 1, 1))
        for step, player in enumerate(order, 1):
            prefixes[step:, player] = True
        return prefixes

    def _gains(self, k: int, order: Array) -> Array:
        gains = np.zeros(self.values.game.players)
        reached = [self.values.of(k, coalition) for coalition in self._prefixes(k, order)]
        gains[order] = np.diff(reached)
        return gains


def standard_errors(contributions: Array) -> Array:
    """Return the standard error of the mean of [background rows, players]; infinite of one row."""
    count = len(contributions)
    if count == 1:
        return np.where(contributions[0] == 0, 0.0, np.inf)
    errors: Array = contributions.std(axis=0, ddof=1) / math.sqrt(count)
    return errors
