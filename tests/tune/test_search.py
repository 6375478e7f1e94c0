"""The search against simulated truths: what it finds, within which budget."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.tune.candidate import BASELINE, Candidate
from slipway.tune.frontier import Goal, Limits, dominates
from slipway.tune.search import ENOUGH, Search
from tests.thorough import examples
from tests.tune import simulated
from tests.tune.simulated import CLIENTS, SimulatedMeasurer, make_space

GOALS: list[Goal] = ["throughput", "latency", "memory", "cpu"]
UNLIMITED = 1e9


def search(
    measurer: SimulatedMeasurer,
    sizes: list[int],
    *,
    goal: Goal = "throughput",
    limits: Limits | None = None,
    seed: int = 0,
    exhaustive: bool = False,
) -> Search:
    """Return a search that has not begun."""
    return Search(
        make_space(sizes),
        measurer,
        CLIENTS,
        goal,
        limits or Limits(),
        np.random.default_rng(seed),
        exhaustive=exhaustive,
    )


sizes_of_spaces = st.lists(st.integers(2, 4), min_size=1, max_size=4)


@settings(max_examples=examples(300, 40), deadline=None)
@given(
    sizes=sizes_of_spaces,
    truth=st.integers(0, 1000),
    noise=st.sampled_from([0.0, 0.02, 0.2]),
    budget=st.floats(0, 400),
    goal=st.sampled_from(GOALS),
    p99=st.sampled_from([None, 0.02, 0.05]),
    seed=st.integers(0, 9),
)
def test_no_measured_config_that_keeps_the_limits_dominates_the_chosen_one(
    sizes: list[int],
    truth: int,
    noise: float,
    budget: float,
    goal: Goal,
    p99: float | None,
    seed: int,
) -> None:
    measurer = SimulatedMeasurer(
        simulated.random_truth(truth),
        budget,
        noise,
        failing=lambda c: len(c) == 1 and truth % 3 == 0,
    )
    limits = Limits(p99=p99)
    running = search(measurer, sizes, goal=goal, limits=limits, seed=seed)
    chosen = running.run()
    allowed = [point for point in running.points() if limits.hold(point)]
    assert (chosen is None) == (not allowed)
    if chosen is not None:
        assert chosen in allowed
        assert not any(dominates(point, chosen) for point in allowed)
        assert measurer.measured[chosen.candidate].failure is None


@settings(max_examples=examples(300, 40), deadline=None)
@given(sizes=sizes_of_spaces, budget=st.floats(0, 400), exhaustive=st.booleans())
def test_a_search_ends_within_its_budget(sizes: list[int], budget: float, exhaustive: bool) -> None:
    measurer = SimulatedMeasurer(simulated.random_truth(1), budget, noise=0.1)
    search(measurer, sizes, exhaustive=exhaustive).run()
    assert measurer.spent <= budget


@settings(max_examples=examples(200, 30), deadline=None)
@given(
    peak=st.tuples(*[st.integers(0, 3)] * 4),
    noise=st.sampled_from([0.0, 0.01, 0.03]),
    seed=st.integers(0, 9),
)
def test_the_top_of_a_hill_is_found_within_the_noise_of_brute_force(
    peak: tuple[int, ...], noise: float, seed: int
) -> None:
    space = make_space([4] * 4)
    top = {(k.model, k.name): best for k, best in zip(space.knobs, peak, strict=True)}
    truth = simulated.hill(top)
    measurer = SimulatedMeasurer(truth, UNLIMITED, noise, seed)
    chosen = search(measurer, [4] * 4, seed=seed).run()
    assert chosen is not None
    best = max(truth(candidate)["rate"] for candidate in space.every())
    # one step of the hill is 10 %
    assert truth(chosen.candidate)["rate"] >= best * (0.999 if noise < 0.02 else 0.89)
    assert len(measurer.measured) < len(space) / 2


def test_every_combination_is_measured_where_that_is_asked_for() -> None:
    measurer = SimulatedMeasurer(simulated.random_truth(3), UNLIMITED)
    running = search(measurer, [3, 3, 2], exhaustive=True)
    assert running.run() is not None
    assert set(measurer.measured) == set(make_space([3, 3, 2]).every())
    assert running.ended == "every combination was measured"


def test_two_knobs_that_help_only_together_are_found() -> None:
    measurer = SimulatedMeasurer(simulated.shared_cores, UNLIMITED, noise=0.02)
    chosen = search(measurer, [2, 2]).run()
    assert chosen is not None and [change.value for change in chosen.candidate] == [1, 1]


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_changed_where_nothing_helps(goal: Goal, seed: int) -> None:
    measurer = SimulatedMeasurer(lambda _: {}, UNLIMITED, noise=0.05, seed=seed)
    chosen = search(measurer, [3, 3, 3], goal=goal, seed=seed).run()
    assert chosen is not None and chosen.candidate == BASELINE


def test_a_config_that_answers_otherwise_is_never_chosen() -> None:
    def fails(candidate: Candidate) -> bool:
        return any(change.name == "threads" for change in candidate)

    truth = simulated.hill({("m0", "threads"): 2, ("m0", "instances"): 1})
    measurer = SimulatedMeasurer(truth, UNLIMITED, failing=fails)
    chosen = search(measurer, [3, 3]).run()
    assert chosen is not None
    assert [tuple(change) for change in chosen.candidate] == [("m0", "instances", 1)]


def test_the_choice_is_measured_often_even_where_the_budget_ends_the_search() -> None:
    truth = simulated.hill({("m0", "threads"): 3, ("m1", "threads"): 3})
    measurer = SimulatedMeasurer(truth, budget=90.0, noise=0.05)
    running = search(measurer, [4, 4, 4, 4])
    chosen = running.run()
    assert chosen is not None and chosen.candidate != BASELINE
    assert chosen.rounds >= ENOUGH and running.ended.startswith("the budget is spent")


def test_a_repeated_search_continues_with_what_is_known() -> None:
    truth = simulated.hill({("m0", "threads"): 2})
    measurer = SimulatedMeasurer(truth, UNLIMITED, noise=0.02)
    first = search(measurer, [3, 3]).run()
    spent = measurer.spent
    second = search(measurer, [3, 3]).run()
    assert first is not None and second is not None and second.candidate == first.candidate
    assert measurer.spent < 1.3 * spent
