"""A whole test against an endpoint over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from slipway.loadtest import address, run, search
from slipway.loadtest.answer import Answer, Request
from slipway.loadtest.generator import Generator
from slipway.loadtest.mix import Mix
from slipway.loadtest.run import Plan, Results
from slipway.triton.datatypes import Array
from tests.loadtest import queues, stand_in

TARGETS = tuple(f"m_{number}.0.0.tar.gz" for number in range(4))


def ran(endpoint: stand_in.Endpoint, plan: Plan, targets: tuple[str, ...] = TARGETS[:1]) -> Results:
    """The results of ``plan``."""
    requests = {target: [Request(target, b"{}", "application/json")] for target in targets}
    mix = Mix(requests, np.random.default_rng(0), 1.0)
    return run.run(
        address.local(endpoint.url, "local"), mix, plan, lambda _: contextlib.nullcontext()
    )


def test_each_release_is_first_invoked_once(endpoint: stand_in.Endpoint) -> None:
    endpoint.loaded.add(TARGETS[1])
    endpoint.failures[TARGETS[2]] = (400, "ValidationError", "no such object")
    results = ran(endpoint, Plan(first_loads_only=True), TARGETS)
    assert [found.target for found in results.first_loads] == list(TARGETS)
    assert [found.cold for found in results.first_loads] == [True, False, None, True]
    assert results.first_loads[2].error == "400 ValidationError"
    assert results.first_loads[2].seconds is None
    assert len(endpoint.seen) == 4 and results.stages == []


def test_a_load_that_takes_long_is_waited_for(
    endpoint: stand_in.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PAUSE_S", 0.05)
    endpoint.failures[TARGETS[0]] = (429, "ModelNotReadyException", "loading")
    told: Iterator[float] = iter([0.0, 0.0])

    def seconds(target: str) -> float:
        if next(told, None) is None:
            endpoint.failures.clear()
        return 0.0

    endpoint.seconds = seconds
    (found,) = ran(endpoint, Plan(first_loads_only=True)).first_loads
    assert found.error is None and found.retries == 2 and found.cold
    assert found.seconds is not None and found.seconds >= 0.1


def test_rates_are_measured_as_named(endpoint: stand_in.Endpoint) -> None:
    results = ran(endpoint, Plan(rates=(20, 60), seconds=1))
    assert [each.concurrency for each in results.stages] == [None, None]
    slow, fast = results.stages
    assert 0 < slow.requests < fast.requests and slow.errors == {} and not results.interrupted


def test_waiting_clients_are_measured_as_named(endpoint: stand_in.Endpoint) -> None:
    endpoint.seconds = lambda _: 0.1
    results = ran(endpoint, Plan(concurrency=(1, 4), seconds=1))
    one, four = results.stages
    assert (one.concurrency, four.concurrency) == (1, 4)
    assert four.achieved > 1.5 * one.achieved


def test_without_rates_they_are_searched_for(
    endpoint: stand_in.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FRACTIONS", (0.1, 0.2))
    monkeypatch.setattr(run, "PROBE_S", 0.2)
    random = np.random.default_rng(0)

    async def open_loop(
        generator: Generator, requests: Sequence[Request], times: Array
    ) -> list[Answer]:
        # computed: on a busy machine even a low rate may saturate, which ends the search
        return queues.serve([request.target for request in requests], times, 1e6, random)

    monkeypatch.setattr(Generator, "open_loop", open_loop)
    endpoint.seconds = lambda _: 0.02
    results = ran(endpoint, Plan(seconds=1))
    offered = [each.offered for each in results.stages]
    assert len(offered) >= 2 and offered == sorted(offered)


def test_a_mix_tells_cold_starts_of_each_release(endpoint: stand_in.Endpoint) -> None:
    endpoint.tells = True
    results = ran(endpoint, Plan(rates=(200,), seconds=1), TARGETS)
    (made,) = results.stages
    assert set(made.targets) == set(TARGETS) and made.cold.count == 0
    asked = [made.targets[target]["requests"] for target in TARGETS]
    assert asked[0] > asked[3]


def test_a_release_that_never_answers_ends_the_test(endpoint: stand_in.Endpoint) -> None:
    endpoint.failures[TARGETS[0]] = (424, "ModelError", "it is broken")
    results = ran(endpoint, Plan(rates=(20,), seconds=1))
    assert results.stages == [] and results.messages == {"424 ModelError": "it is broken"}


def test_a_first_load_that_hangs_can_be_stopped(endpoint: stand_in.Endpoint) -> None:
    endpoint.seconds = lambda _: 5.0

    async def work(generator: Generator) -> None:
        asyncio.get_running_loop().call_later(0.2, generator.stop.set)
        mix = Mix({TARGETS[0]: [Request(TARGETS[0], b"", "")]}, np.random.default_rng(0))
        assert await run.first_load(generator, mix, TARGETS[0]) is None
        assert await generator.once(mix.first(TARGETS[0]), 0.0) == []

    run.with_generator(address.local(endpoint.url, "local"), 60, work)
