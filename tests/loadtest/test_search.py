"""The search for saturation and knee, on a server whose capacity is known."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from slipway.loadtest import search
from slipway.loadtest.knee import Point, find_knee
from slipway.loadtest.latencies import answers_needed
from tests.loadtest import queues

CAPACITY = 100.0


async def search_knee(server: queues.Server, limit: float | None) -> None:
    await search.sweep(server.measure, await search.capacity(server.throughput), limit)


@pytest.mark.parametrize(("limit", "truth"), [(None, 70.0), (0.1, 54.0), (0.2, 77.0)])
def test_the_knee_is_found(limit: float | None, truth: float) -> None:
    knees = []
    for seed in range(15):
        server = queues.Server(CAPACITY, 60, seed)
        asyncio.run(search_knee(server, limit))
        knees.append(find_knee(server.points, limit).rate)
    assert np.median([rate or 0 for rate in knees]) == pytest.approx(truth, rel=0.1)


def test_rates_rise_to_saturation_and_then_approach_the_knee() -> None:
    server = queues.Server(CAPACITY, 60)
    asyncio.run(search_knee(server, 0.1))
    offered = [point.offered for point in server.points]
    first = next(i for i, point in enumerate(server.points) if point.saturated)
    assert offered[: first + 1] == sorted(offered[: first + 1])
    assert len(offered) == first + 1 + search.HALVINGS


@pytest.mark.parametrize("disturbed", [(1,), (3,), (5,), (3, 5)])
def test_disturbed_stages_do_not_decide(disturbed: tuple[int, ...]) -> None:
    for seed in range(5):
        server = queues.Server(CAPACITY, 60, seed, disturbed)
        asyncio.run(search_knee(server, 0.2))
        assert find_knee(server.points, 0.2).rate == pytest.approx(77, rel=0.25)
        intended = [point.intended for point in server.points]
        assert max(intended.count(rate) for rate in intended) <= 3


def test_a_rate_that_fails_twice_below_one_that_passes_has_failed() -> None:
    requested: list[float] = []

    async def measure(rate: float) -> Point:
        requested.append(rate)
        p99 = 0.5 if rate == 40 else 0.1
        return Point(rate, min(rate, 100), p99, intended=rate)

    asyncio.run(search.sweep(measure, 100, 0.2))
    assert requested.count(40) == 2 and max(requested) == 120


def test_a_slow_model_is_not_measured_at_rates_without_a_p99() -> None:
    server = queues.Server(5, 60)
    asyncio.run(search_knee(server, None))
    assert min(point.offered for point in server.points) > 1.5


def test_the_search_ends_when_the_test_is_stopped() -> None:
    requested = []

    async def measure(rate: float) -> Point | None:
        requested.append(rate)
        return Point(rate, rate, 0.1) if len(requested) < 2 else None

    asyncio.run(search.sweep(measure, 100, None))
    assert len(requested) == 2


@pytest.mark.parametrize("rate", [1.0, 5.0, 20.0, 29.9, 500.0])
def test_a_stage_lasts_until_there_are_enough_answers_for_a_p99(rate: float) -> None:
    assert search.seconds_for(rate) * rate * 0.9 >= answers_needed(0.99) or rate > 29.9
    assert search.seconds_for(rate) >= 10


def test_capacity_is_the_throughput_that_more_clients_do_not_raise() -> None:
    reached = {1: 10.0, 2: 19.0, 4: 35.0, 8: 36.0}
    requested = []

    async def throughput(clients: int) -> float:
        requested.append(clients)
        return reached[clients]

    assert asyncio.run(search.capacity(throughput)) == 36.0
    assert requested == [1, 2, 4, 8]
