"""A complete load test against an endpoint over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from slipway.loadtest import run, search
from slipway.loadtest.address import local_address
from slipway.loadtest.exchange import LoadResponse, Request
from slipway.loadtest.generator import Generator
from slipway.loadtest.mix import Mix
from slipway.loadtest.run import Plan, Results
from slipway.triton.datatypes import Array
from tests.loadtest import fake_endpoint, queues

TARGETS = tuple(f"m_{number}.0.0.tar.gz" for number in range(4))


def run_plan(
    endpoint: fake_endpoint.FakeEndpoint, plan: Plan, targets: tuple[str, ...] = TARGETS[:1]
) -> Results:
    """Return the results of ``plan``."""
    requests = {target: [Request(target, b"{}", "application/json")] for target in targets}
    mix = Mix(requests, np.random.default_rng(0), 1.0)
    return run.run_load_test(
        local_address(endpoint.url, "local"), mix, plan, lambda _: contextlib.nullcontext()
    )


def test_each_release_is_first_invoked_once(endpoint: fake_endpoint.FakeEndpoint) -> None:
    endpoint.loaded.add(TARGETS[1])
    endpoint.failures[TARGETS[2]] = (400, "ValidationError", "no such object")
    results = run_plan(endpoint, Plan(first_loads_only=True), TARGETS)
    assert [load.target for load in results.first_loads] == list(TARGETS)
    assert [load.cold for load in results.first_loads] == [True, False, None, True]
    assert results.first_loads[2].error == "400 ValidationError"
    assert results.first_loads[2].seconds is None
    assert len(endpoint.seen) == 4 and results.stages == []


def test_a_load_that_takes_long_is_waited_for(
    endpoint: fake_endpoint.FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PAUSE_S", 0.05)
    endpoint.failures[TARGETS[0]] = (429, "ModelNotReadyException", "loading")
    refusals: Iterator[float] = iter([0.0, 0.0])

    def seconds(target: str) -> float:
        if next(refusals, None) is None:
            endpoint.failures.clear()
        return 0.0

    endpoint.seconds = seconds
    (load,) = run_plan(endpoint, Plan(first_loads_only=True)).first_loads
    assert load.error is None and load.retries == 2 and load.cold
    assert load.seconds is not None and load.seconds >= 0.1


def test_the_given_rates_are_measured(endpoint: fake_endpoint.FakeEndpoint) -> None:
    results = run_plan(endpoint, Plan(rates=(20, 60), seconds=1))
    assert [stage.concurrency for stage in results.stages] == [None, None]
    slow, fast = results.stages
    assert 0 < slow.requests < fast.requests and slow.errors == {} and not results.interrupted


def test_the_given_numbers_of_waiting_clients_are_measured(
    endpoint: fake_endpoint.FakeEndpoint,
) -> None:
    endpoint.seconds = lambda _: 0.1
    results = run_plan(endpoint, Plan(concurrency=(1, 4), seconds=1))
    single, four = results.stages
    assert (single.concurrency, four.concurrency) == (1, 4)
    assert four.achieved > 1.5 * single.achieved


def test_without_rates_they_are_searched_for(
    endpoint: fake_endpoint.FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FRACTIONS", (0.1, 0.2))
    monkeypatch.setattr(run, "PROBE_S", 0.2)
    random = np.random.default_rng(0)

    async def open_loop(
        generator: Generator, requests: Sequence[Request], times: Array
    ) -> list[LoadResponse]:
        # simulated: on a busy machine even a low rate may saturate, which ends the search
        return queues.serve([request.target for request in requests], times, 1e6, random)

    monkeypatch.setattr(Generator, "open_loop", open_loop)
    endpoint.seconds = lambda _: 0.02
    results = run_plan(endpoint, Plan(seconds=1))
    offered = [stage.offered for stage in results.stages]
    assert len(offered) >= 2 and offered == sorted(offered)


def test_a_mix_counts_the_cold_starts_of_each_release(endpoint: fake_endpoint.FakeEndpoint) -> None:
    endpoint.reports_cache = True
    results = run_plan(endpoint, Plan(rates=(200,), seconds=1), TARGETS)
    (stage,) = results.stages
    assert set(stage.targets) == set(TARGETS) and stage.cold.count == 0
    requests = [stage.targets[target]["requests"] for target in TARGETS]
    assert requests[0] > requests[3]


def test_a_release_that_never_answers_ends_the_test(endpoint: fake_endpoint.FakeEndpoint) -> None:
    endpoint.failures[TARGETS[0]] = (424, "ModelError", "it is broken")
    results = run_plan(endpoint, Plan(rates=(20,), seconds=1))
    assert results.stages == [] and results.messages == {"424 ModelError": "it is broken"}


def test_a_first_load_that_hangs_can_be_stopped(endpoint: fake_endpoint.FakeEndpoint) -> None:
    endpoint.seconds = lambda _: 5.0

    async def work(generator: Generator) -> None:
        asyncio.get_running_loop().call_later(0.2, generator.stop.set)
        mix = Mix({TARGETS[0]: [Request(TARGETS[0], b"", "")]}, np.random.default_rng(0))
        assert await run.first_load(generator, mix, TARGETS[0]) is None
        assert await generator.send_unless_stopped(mix.first(TARGETS[0]), 0.0) == []

    run.run_with_generator(local_address(endpoint.url, "local"), 60, work)
