"""The simulation's laws, and queueing theory, Che's approximation, SimPy and Ciw against it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.simulate.distribution import Distribution, constant
from slipway.simulate.engine import simulate
from slipway.simulate.fleet import Fleet, Scaling, Shape
from slipway.simulate.outcome import COLD, FAILED, HIT, NOT_READY, Outcome
from slipway.simulate.theory import che_hit_rate
from slipway.simulate.traffic import Traffic, draw_traffic
from slipway.triton.datatypes import Array
from tests.simulate.fleets import UNLIMITED, models, one_model
from tests.simulate.queueing import erlang_c, mean_wait

OUTSIDERS: dict[str, Any] = json.loads(
    Path(__file__).with_name("outsiders.json").read_text(encoding="utf-8")
)
PATIENT = 1e9


def exponential(mean: float) -> Distribution:
    """Many samples of the exponential distribution: its quantiles."""
    return Distribution(mean, mean, tuple(-mean * np.log1p(-(np.arange(4000) + 0.5) / 4000)))


def waits(servers: int, serve: Distribution, rate: float, count: int = 400_000) -> Array:
    """Waits (s) for one of ``servers`` cores, once the only model is loaded."""
    traffic = one_model(rate, count)
    served = models(1, serve, concurrency=servers)
    shape = Shape(servers, 1, 1)
    outcome = simulate(served, Fleet(shape, 1, copy_after_s=None), traffic, is_filled=True)
    # with the seed of the run, the service times are drawn first
    times = serve.draw(count, np.random.default_rng(0))
    return (outcome.latency - times)[count // 10 :]


@pytest.mark.parametrize(("servers", "busy"), [(1, 0.5), (1, 0.8), (3, 0.8), (8, 0.7)])
def test_waits_are_those_of_erlang_for_random_service_times(servers: int, busy: float) -> None:
    serve = 0.1
    rate = busy * servers / serve
    simulated = waits(servers, exponential(serve), rate)
    assert np.mean(simulated > 1e-9) == pytest.approx(erlang_c(servers, busy * servers), abs=0.02)
    assert simulated.mean() == pytest.approx(mean_wait(servers, rate, serve), rel=0.08)


@pytest.mark.parametrize("busy", [0.3, 0.7, 0.85])
def test_waits_are_those_of_pollaczek_and_khinchine_for_equal_ones(busy: float) -> None:
    simulated = waits(1, constant(0.1), busy / 0.1)
    expected = mean_wait(1, busy / 0.1, 0.1, constant=True)
    assert simulated.mean() == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize(
    ("name", "servers", "serve", "rate"),
    [("M/M/3", 3, exponential(0.1), 24.0), ("M/D/2", 2, constant(0.1), 17.0)],
)
def test_ciw_has_the_same_waits(name: str, servers: int, serve: Distribution, rate: float) -> None:
    theirs = OUTSIDERS["ciw"][name]
    ours = waits(servers, serve, rate)
    assert ours.mean() == pytest.approx(theirs["mean"], rel=0.08)
    for key, level in (("p90", 0.9), ("p99", 0.99)):
        assert np.quantile(ours, level) == pytest.approx(theirs[key], rel=0.12)


@pytest.mark.parametrize("case", OUTSIDERS["simpy"], ids=lambda case: f"{case['ending']}")
def test_simpy_has_the_same_latency_for_each_request(case: dict[str, Any]) -> None:
    """A cache with loads one at a time, evictions, downloads and queues, written in SimPy."""
    traffic = Traffic(np.array(case["times"]), np.array(case["models"]), np.ones(12) / 12)
    fleet = Fleet(Shape(2, 5, UNLIMITED), 1, not_ready_s=PATIENT)
    outcome = simulate(models(12, ending=case["ending"]), fleet, traffic)
    np.testing.assert_allclose(outcome.latency, case["latency"], atol=2e-6)
    assert ((outcome.status == HIT) == np.array(case["hit"])).all()
    assert outcome.evictions > 20


@pytest.mark.parametrize(("room", "exponent"), [(10, 0.8), (50, 1.0), (200, 0.6), (200, 1.2)])
def test_the_hit_rate_is_that_of_che(room: int, exponent: float) -> None:
    random = np.random.default_rng(1)
    count = 400
    size = random.choice([0.5, 1.0, 1.5], count)
    traffic = draw_traffic(count, 10.0, 200_000, exponent, random)
    # loads that take no time, as in a cache
    described = models(count, 1e-6, 0.0, 0.0, 0.0, size)
    fleet = Fleet(Shape(8, room, UNLIMITED), 1)
    hits = simulate(described, fleet, traffic).summarize(0.2).hit_rate
    assert hits == pytest.approx(che_hit_rate(traffic.shares, size, room), abs=0.01)


def run(seed: int, room: float, **more: Any) -> Outcome:
    random = np.random.default_rng(seed)
    count = int(random.integers(1, 30))
    traffic = draw_traffic(count, float(random.uniform(0.2, 20)), 1500, 0.9, random)
    size = random.choice([0.5, 1.0, 2.0], count)
    shape = Shape(
        int(random.integers(1, 4)),
        room,
        float(random.uniform(2, 40)),
        int(random.integers(0, 6)),
        makes_room=("first", "afterwards")[int(random.integers(2))],
        loads_at_once=int(random.integers(1, 4)),
    )
    scaling = Scaling(60.0, 1, 5, 60, 120, 30) if random.integers(2) else None
    fleet = Fleet(shape, int(random.integers(1, 4)), scaling, copy_after_s=0.5)
    described = models(count, Distribution(0.05, 0.5), Distribution(0.5, 2.0), memory=size)
    return simulate(described, fleet, traffic, seed, **more)


@given(seed=st.integers(0, 10**9), room=st.floats(1.0, 30.0), filled=st.booleans())
def test_no_request_is_lost_and_none_is_answered_before_it_is_asked(
    seed: int, room: float, filled: bool
) -> None:
    outcome = run(seed, room, is_filled=filled)
    answered = outcome.status <= COLD
    assert set(np.unique(outcome.status)) <= {HIT, COLD, NOT_READY, FAILED}
    # each that is answered was served for some time, and all others have got 429 or an error
    assert (outcome.latency[answered] > 0).all()
    assert outcome.latency[outcome.status == NOT_READY] == pytest.approx(60.0)
    # a model may be larger than an instance; without one, nothing fails
    assert room < 2 or not (outcome.status == FAILED).any() or outcome.most_memory <= room + 2


@given(seed=st.integers(0, 10**9), room=st.floats(2.0, 30.0))
def test_memory_never_exceeds_what_there_is_where_room_is_made_first(
    seed: int, room: float
) -> None:
    random = np.random.default_rng(seed)
    count = int(random.integers(1, 30))
    traffic = draw_traffic(count, 5.0, 1000, 0.9, random)
    size = random.choice([0.5, 1.0, 2.0], count)
    fleet = Fleet(Shape(2, room, 40.0, loads_at_once=int(random.integers(1, 4))), 2)
    outcome = simulate(models(count, memory=size), fleet, traffic, seed)
    assert outcome.most_memory <= room + 1e-9 and outcome.overflows == 0


@given(seed=st.integers(0, 10**9), room=st.integers(1, 20))
def test_more_memory_never_costs_hits(seed: int, room: int) -> None:
    random = np.random.default_rng(seed)
    traffic = draw_traffic(25, 5.0, 1000, 0.8, random)
    described = models(25, 1e-6, 0.0, 0.0, 0.0)

    def hits(memory: int) -> int:
        outcome = simulate(described, Fleet(Shape(4, memory, UNLIMITED), 1), traffic)
        return int(np.count_nonzero(outcome.status == HIT))

    # a stack algorithm: what a smaller LRU cache has, a larger one has, too (Mattson et al., 1970)
    assert hits(room) <= hits(room + 1)


def test_equal_arguments_give_equal_results() -> None:
    first, second = run(7, 9.0), run(7, 9.0)
    assert (first.latency == second.latency).all() and (first.status == second.status).all()
    assert (run(8, 9.0).latency[:100] != first.latency[:100]).any()


def test_a_model_that_does_not_fit_fails_at_once_and_harms_no_other() -> None:
    traffic = draw_traffic(3, 1.0, 300, 0.0, np.random.default_rng(0))
    outcome = simulate(
        models(3, memory=np.array([1.0, 99.0, 1.0])), Fleet(Shape(1, 2, 200), 1), traffic
    )
    assert ((outcome.status == FAILED) == (traffic.models == 1)).all()
    # its first request waits for the download, the others know its size
    assert (outcome.latency[outcome.status == FAILED] <= 0.5).all()


def test_a_wait_of_more_than_a_minute_is_answered_with_429() -> None:
    traffic = one_model(0.1, 100)
    outcome = simulate(models(1, load=150.0), Fleet(Shape(1, 2, 2), 1), traffic)
    first = outcome.times < outcome.times[0] + 150.0 - 60.0
    assert (outcome.status[first] == NOT_READY).all() and first.sum() > 3
    assert outcome.status[-1] == HIT


def test_models_in_use_are_not_unloaded() -> None:
    # the first model is asked without end, and takes longer than its requests are apart
    times = np.arange(0.0, 60.0, 0.5)
    chosen = np.where(np.arange(len(times)) % 10 == 5, 1, 0)
    outcome = simulate(
        models(2, 0.6, 1.0, memory=np.ones(2)),
        Fleet(Shape(4, 1, 2), 1, not_ready_s=PATIENT),
        Traffic(times, chosen, np.array([0.9, 0.1])),
    )
    assert (outcome.status <= COLD).all()
    # the other one has to wait until nobody asks the first any more
    assert outcome.latency[chosen == 1].min() > 15


def test_a_busy_model_is_loaded_on_a_second_instance() -> None:
    traffic = one_model(30.0, 6000)  # of 0.05 s each: 1.5 requests at a time, and a copy serves one
    alone = simulate(models(1), Fleet(Shape(4, 1, 1), 2, copy_after_s=None), traffic)
    copied = simulate(models(1), Fleet(Shape(4, 1, 1), 2, copy_after_s=1.0), traffic)
    assert (alone.loads, copied.loads) == (1, 2)
    assert np.quantile(copied.latency[1000:], 0.9) < 1.0 < np.quantile(alone.latency[1000:], 0.9)


def test_instances_follow_the_invocations() -> None:
    random = np.random.default_rng(3)
    quiet = np.cumsum(random.exponential(1.0, 1800))
    busy = quiet[-1] + np.cumsum(random.exponential(0.1, 18_000))
    calm = busy[-1] + np.cumsum(random.exponential(1.0, 5400))
    times = np.concatenate([quiet, busy, calm])
    traffic = Traffic(times, np.zeros(len(times), dtype=np.int64), np.ones(1))
    scaling = Scaling(target=200.0, least=1, most=3, out_s=120, in_s=300, start_s=240)
    outcome = simulate(models(1, 0.02), Fleet(Shape(2, 1, 1), 1, scaling), traffic)
    numbers = [number for _, number in outcome.history]
    assert numbers[0] == 1 and max(numbers) == 3 and numbers[-1] == 1
    out = next(when for when, number in outcome.history if number > 1)
    # three minutes above the target, and the start of an instance; the alarm's minutes are whole
    assert 120 + 240 <= out - float(quiet[-1]) <= 300 + 240
    back = next(when for when, number in outcome.history[::-1] if number > 1)
    gone = next(when for when, number in outcome.history if when > back)
    assert gone - float(busy[-1]) >= 15 * 60 - 60
    assert 1.0 < outcome.summarize().instances < 3.0
    assert (outcome.status <= COLD).all()
