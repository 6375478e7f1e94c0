"""Shapley's axioms, which define his values, and the error of their estimate."""

from __future__ import annotations

from collections.abc import Callable
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.explain.shapley.estimate import Estimate, shapley
from slipway.explain.shapley.game import Game
from slipway.triton.datatypes import Array

MANY = 10**6


class Asked:
    """A function behind background rows, with the number of rows that may be asked."""

    def __init__(self, function: Callable[[Array], Array], row: Array, backgrounds: Array) -> None:
        self.function, self.row, self.backgrounds = function, row, backgrounds
        self.asked = 0

    def value(self, numbers: Array, coalitions: Array) -> Array:
        self.asked += len(numbers)
        scores: Array = self.function(np.where(coalitions, self.row, self.backgrounds[numbers]))
        return scores

    def estimate(self, rows: int = MANY, seed: int = 1, error: float = 0.0) -> Estimate:
        game = Game(self.value, self.backgrounds != self.row)
        return shapley(game, room=lambda: rows - self.asked, seed=seed, error=error)


def smooth(seed: int, players: int) -> Callable[[Array], Array]:
    """Return a function in which all players act on each other."""
    generator = np.random.default_rng(seed)
    weights = generator.normal(size=(players, 6)) / np.sqrt(players)
    outer = generator.normal(size=6)
    return lambda table: np.tanh(table @ weights) @ outer


def rows(seed: int, players: int, count: int = 3) -> tuple[Array, Array]:
    generator = np.random.default_rng(seed + 1)
    return generator.normal(size=players), generator.normal(size=(count, players))


def by_definition(function: Callable[[Array], Array], row: Array, background: Array) -> Array:
    """Return Shapley's sum over all coalitions, as it is written in the textbook."""
    players = len(row)
    contributions = np.zeros(players)
    for bits in range(2**players):
        inside = np.array([bits >> player & 1 == 1 for player in range(players)])
        size = int(inside.sum())
        for player in np.flatnonzero(~inside):
            weight = factorial(size) * factorial(players - size - 1) / factorial(players)
            having = inside.copy()
            having[player] = True
            table = np.where(np.stack([inside, having]), row, background)
            without, with_ = function(table)
            contributions[player] += weight * (with_ - without)
    return contributions


seeds = st.integers(0, 10_000)
sizes = st.integers(1, 6)
budgets = st.sampled_from([40, 200, MANY])


@given(seeds, sizes)
def test_all_combinations_give_the_textbooks_sum(seed: int, players: int) -> None:
    row, backgrounds = rows(seed, players)
    function = smooth(seed, players)
    found = Asked(function, row, backgrounds).estimate()
    expected = np.mean([by_definition(function, row, b) for b in backgrounds], axis=0)
    assert found.is_exact
    np.testing.assert_allclose(found.contributions, expected, atol=1e-12)


@given(seeds, sizes, budgets)
def test_base_and_contributions_add_up_to_the_answer(seed: int, players: int, budget: int) -> None:
    row, backgrounds = rows(seed, players)
    function = smooth(seed, players)
    found = Asked(function, row, backgrounds).estimate(budget)
    assert found.answer == pytest.approx(function(row[None])[0], abs=1e-12)
    assert found.base == pytest.approx(function(backgrounds).mean(), abs=1e-12)
    assert found.base + found.contributions.sum() == pytest.approx(found.answer, abs=1e-12)


@given(seeds, st.integers(2, 9), budgets)
def test_a_player_that_changes_nothing_gets_nothing(seed: int, players: int, budget: int) -> None:
    row, backgrounds = rows(seed, players)
    inner = smooth(seed, players - 1)
    found = Asked(lambda table: inner(table[:, 1:]), row, backgrounds).estimate(budget)
    assert found.contributions[0] == pytest.approx(0, abs=1e-12)
    same = backgrounds.copy()
    same[:, 1] = row[1]
    assert Asked(smooth(seed, players), row, same).estimate(budget).contributions[1] == 0


@given(seeds, st.integers(2, 6))
def test_two_players_that_do_the_same_get_the_same(seed: int, players: int) -> None:
    row, backgrounds = rows(seed, players)
    row[1], backgrounds[:, 1] = row[0], backgrounds[:, 0]
    inner = smooth(seed, players - 1)

    def function(table: Array) -> Array:
        return inner(np.column_stack([table[:, 0] * table[:, 1], table[:, 2:]]))

    found = Asked(function, row, backgrounds).estimate()
    assert found.contributions[0] == pytest.approx(found.contributions[1], abs=1e-12)


@given(seeds, sizes, st.floats(-3, 3))
def test_contributions_of_a_sum_are_the_sum_of_contributions(
    seed: int, players: int, factor: float
) -> None:
    row, backgrounds = rows(seed, players)
    one, two = smooth(seed, players), smooth(seed + 1, players)
    parts = [Asked(f, row, backgrounds).estimate().contributions for f in (one, two)]
    both = Asked(lambda t: one(t) + factor * two(t), row, backgrounds).estimate().contributions
    np.testing.assert_allclose(both, parts[0] + factor * parts[1], atol=1e-10)


@given(seeds)
def test_a_linear_function_is_exact_after_one_pair(seed: int) -> None:
    players = 20
    row, backgrounds = rows(seed, players)
    weights = np.random.default_rng(seed).normal(size=players)
    found = Asked(lambda table: table @ weights, row, backgrounds).estimate(1)
    assert not found.is_exact and found.pairs == len(backgrounds)
    expected = weights * (row - backgrounds.mean(axis=0))
    np.testing.assert_allclose(found.contributions, expected, atol=1e-12)


@given(seeds)
def test_a_pair_is_exact_where_only_two_act_on_each_other(seed: int) -> None:
    players = 16
    row, backgrounds = rows(seed, players, count=1)
    matrix = np.random.default_rng(seed).normal(size=(players, players))

    def function(table: Array) -> Array:
        products: Array = np.einsum("ri,ij,rj->r", table, matrix, table)
        return products

    once = Asked(function, row, backgrounds).estimate(1)
    often = Asked(function, row, backgrounds).estimate(2000, seed=2)
    assert once.pairs == 1 < often.pairs
    np.testing.assert_allclose(once.contributions, often.contributions, atol=1e-9)


def test_equal_seeds_give_equal_estimates_and_others_do_not() -> None:
    row, backgrounds = rows(3, 16)
    first, again, other = (
        Asked(smooth(3, 16), row, backgrounds).estimate(500, seed=seed).contributions.tolist()
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_no_more_rows_are_asked_than_there_is_room_for() -> None:
    for budget in (120, 400, 3000):
        asked = Asked(smooth(5, 16), *rows(5, 16))
        asked.estimate(budget)
        assert asked.asked <= budget


def test_the_standard_error_is_what_the_estimates_differ_by() -> None:
    row, backgrounds = rows(7, 13, count=2)
    function = smooth(7, 13)
    exact = Asked(function, row, backgrounds).estimate().contributions
    scaled = []
    for seed in range(40):
        found = Asked(function, row, backgrounds).estimate(800, seed=seed)
        scaled += list((found.contributions - exact) / found.errors)
    assert 0.8 < np.std(scaled) < 1.3
    assert np.mean(np.abs(scaled) < 3) > 0.98


def test_it_stops_when_the_error_is_small_enough() -> None:
    row, backgrounds = rows(9, 16, count=2)
    patient = Asked(smooth(9, 16), row, backgrounds)
    patient.estimate(40_000)
    hasty = Asked(smooth(9, 16), row, backgrounds)
    found = hasty.estimate(40_000, error=0.02)
    assert found.errors.max() <= 0.02
    assert hasty.asked < patient.asked / 2


def test_background_rows_equal_to_the_row_are_no_bias() -> None:
    row, backgrounds = rows(11, 5)
    backgrounds[1] = row
    found = Asked(smooth(11, 5), row, backgrounds).estimate()
    alone = Asked(smooth(11, 5), row, backgrounds[[0, 2]]).estimate()
    np.testing.assert_allclose(found.contributions, alone.contributions * 2 / 3, atol=1e-12)


def test_nothing_to_leave_out_is_no_contribution() -> None:
    row = np.ones(3)
    found = Asked(smooth(1, 3), row, row[None]).estimate()
    assert found.contributions.tolist() == [0, 0, 0]
    assert found.base == found.answer


def test_a_sample_of_background_rows_has_their_difference_in_its_error() -> None:
    players, all_rows = 6, 200
    row, backgrounds = rows(13, players, count=all_rows)
    function = smooth(13, players)
    whole = Asked(function, row, backgrounds).estimate().contributions
    scaled = []
    for seed in range(30):
        few = backgrounds[np.random.default_rng(seed).permutation(all_rows)[:8]]
        asked = Asked(function, row, few)
        game = Game(asked.value, few != row, is_sample=True)
        found = shapley(game, room=lambda: MANY, seed=seed)
        assert not found.is_exact
        scaled += list((found.contributions - whole) / found.errors)
    assert 0.7 < np.std(scaled) < 1.5
