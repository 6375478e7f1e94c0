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

from slipway.explain.shapley.game import AskedValues, Game
from slipway.explain.shapley.walks import Walks, standard_errors
from slipway.triton.datatypes import Array

MOST_ENUMERATED = 14  # players of 2**14 coalitions
# pairs of walks per background row that a number of background rows should leave room for
FEWEST_ROUNDS = 4
MOST_ROUNDS = 4096  # where everything is known by then, more rounds ask nothing


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
    values = AskedValues(game)
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
        errors = standard_errors(each) if game.is_sample else np.zeros(game.players)
        return Estimate(each.mean(axis=0), errors, base, answer, not game.is_sample, 0)
    walks = Walks(values, np.random.default_rng(seed))
    while drawn := walks.draw(room(), batch) or not walks.rounds:
        walks.walk(int(drawn))
        if len(walks.rounds) > 1 and error and walks.errors().max(initial=0.0) <= error:
            break
        if len(walks.rounds) >= MOST_ROUNDS:
            break
    pairs = len(walks.rounds) * len(backgrounds)
    return Estimate(walks.contributions(), walks.errors(), base, answer, False, pairs)


def _enumerate(values: AskedValues, k: int) -> Array:
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
