"""Shapley values of a game: what each player adds to what all of them reach together.

A coalition's value is the score of an input in which the players outside of it have the values of
one background row. Permutations are walked forwards and backwards (antithetic pairs): a pair's
result is exact for functions without interactions of three players or more. See Mitchell et al.
2022, "Sampling permutations for Shapley value estimation", which compares such schemes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from slipway.triton.datatypes import Array

# background rows [m] and coalitions [m, players] to the scores [m]
Value = Callable[[Array, Array], Array]
MOST_ENUMERATED = 14  # players of 2**14 coalitions
# pairs of walks per background row that a number of background rows should leave room for
FEWEST_ROUNDS = 4
MOST_ROUNDS = 4096  # where everything is known by then, more rounds ask nothing


@dataclass(frozen=True)
class Game:
    """``changes``, [background rows, players]: whether leaving a player out changes the input.

    ``is_sample``: there are more background rows than could be asked. What they differ by is then
    a part of the error.
    """

    value: Value
    changes: Array
    is_sample: bool = False

    @property
    def players(self) -> int:
        """Return the number of players."""
        return int(self.changes.shape[1])


@dataclass(frozen=True)
class Estimate:
    """``contributions`` and their standard errors, by player; they add up to answer - base."""

    contributions: Array
    errors: Array
    base: float
    answer: float
    is_exact: bool
    pairs: int


def fitting_backgrounds(players: int, available: int, rows: int) -> int:
    """Return how many background rows leave room for a pair of walks each within ``rows`` rows.

    A further background row tells more than a further pair for the same one.
    """
    return max(min(2, available), min(available, (rows - available) // (2 * max(1, players))))


def smallest_budget(changes: Array) -> tuple[int, int]:
    """Return the rows that the coarsest estimate asks for: the ends, and then one pair of walks."""
    between = np.maximum(0, changes.sum(axis=1) - 1)
    return len(changes) + 1, int(2 * between.sum())


def shapley(
    game: Game, *, room: Callable[[], int], seed: int, error: float = 0.0, batch: int = 16
) -> Estimate:
    """Return the Shapley values, averaged over the background rows.

    ``room`` returns how many rows may still be asked; the first pairs are asked in any case. All
    coalitions are enumerated where there is room for them. Otherwise pairs of permutations are
    drawn until there is none, or no standard error is above ``error``. ``batch`` is how many rows
    are best asked at once.
    """
    values = _Values(game)
    everyone = np.ones(game.players, dtype=bool)
    nobody = ~everyone
    backgrounds = range(len(game.changes))
    values.ask([(k, nobody) for k in backgrounds] + [(k, everyone) for k in backgrounds])
    base = math.fsum(values.of(k, nobody) for k in backgrounds) / len(backgrounds)
    answer = values.of(0, everyone)
    differing = game.changes.sum(axis=1)
    affordable = int(differing.max(initial=0)) <= MOST_ENUMERATED
    if affordable and int((2.0**differing).sum()) <= room():
        each = np.array([_enumerate(values, k) for k in backgrounds])
        errors = _between(each) if game.is_sample else np.zeros(game.players)
        return Estimate(each.mean(axis=0), errors, base, answer, not game.is_sample, 0)
    walks = _Walks(values, np.random.default_rng(seed))
    while drawn := walks.draw(room(), batch) or not walks.rounds:
        walks.walk(int(drawn))
        if len(walks.rounds) > 1 and error and walks.errors().max(initial=0.0) <= error:
            break
        if len(walks.rounds) >= MOST_ROUNDS:
            break
    pairs = len(walks.rounds) * len(backgrounds)
    return Estimate(walks.contributions(), walks.errors(), base, answer, False, pairs)


class _Values:
    """The values that were asked, so that none is asked twice."""

    def __init__(self, game: Game) -> None:
        self.game = game
        self._known: dict[tuple[int, bytes], float] = {}

    def _key(self, k: int, coalition: Array) -> tuple[int, bytes]:
        """Return one key for all coalitions that make the same input."""
        outside = self.game.changes[k] & ~coalition
        return (k, outside.tobytes()) if outside.any() else (-1, b"")

    def unknown(self, coalitions: list[tuple[int, Array]]) -> dict[tuple[int, bytes], int]:
        """Return the positions of those to ask, each once."""
        keys: dict[tuple[int, bytes], int] = {}
        for position, (k, coalition) in enumerate(coalitions):
            key = self._key(k, coalition)
            if key not in self._known:
                keys.setdefault(key, position)
        return keys

    def ask(self, coalitions: list[tuple[int, Array]]) -> None:
        """Ask what is not known yet."""
        fresh = self.unknown(coalitions)
        if fresh:
            chosen = [coalitions[position] for position in fresh.values()]
            answers = self.game.value(
                np.array([k for k, _ in chosen]), np.stack([mask for _, mask in chosen])
            )
            self._known.update(zip(fresh, (float(answer) for answer in answers), strict=True))

    def of(self, k: int, coalition: Array) -> float:
        """Return a value that was asked."""
        return self._known[self._key(k, coalition)]


def _between(contributions: Array) -> Array:
    """Return the standard error of the mean of [background rows, players]; infinite of one row."""
    count = len(contributions)
    if count == 1:
        return np.where(contributions[0] == 0, 0.0, np.inf)
    errors: Array = contributions.std(axis=0, ddof=1) / math.sqrt(count)
    return errors


def _enumerate(values: _Values, k: int) -> Array:
    """Return the exact Shapley values for one background row."""
    game = values.game
    free = np.flatnonzero(game.changes[k])
    contributions = np.zeros(game.players)
    count = len(free)
    if not count:
        return contributions
    numbers = np.arange(2**count)
    members = (numbers[:, None] >> np.arange(count)) & 1 == 1
    coalitions = np.ones((len(numbers), game.players), dtype=bool)
    coalitions[:, free] = members
    listed = [(k, coalition) for coalition in coalitions]
    values.ask(listed)
    reached = np.array([values.of(k, coalition) for coalition in coalitions])
    sizes = members.sum(axis=1)
    weights = np.array([1 / (count * math.comb(count - 1, size)) for size in range(count)] + [0.0])
    for position, player in enumerate(free):
        without = np.flatnonzero(~members[:, position])
        gains = reached[without | (1 << position)] - reached[without]
        contributions[player] = float((weights[sizes[without]] * gains).sum())
    # the rounding of thousands of terms goes to those that have any
    total = reached[-1] - reached[0]
    contributions[free] += (total - contributions.sum()) / count
    return contributions


class _Walks:
    """Rounds of pairs: in each round, every background row gets one permutation and its reverse."""

    def __init__(self, values: _Values, generator: np.random.Generator) -> None:
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
            return _between(np.mean(self._each, axis=0))
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
