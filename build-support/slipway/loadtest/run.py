"""Run a load test: first loads, then stages of a rate or of a number of clients."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from slipway.loadtest import search
from slipway.loadtest.address import Address
from slipway.loadtest.exchange import LoadResponse
from slipway.loadtest.generator import Generator
from slipway.loadtest.knee import Point
from slipway.loadtest.mix import Mix
from slipway.loadtest.stage import LoadStage, rate_point, summarize_closed_loop, summarize_open_loop

# the platform continues a load for so long while invocations get 429 (AWS, mms-container-apis.html)
LOADING_S = 360.0
PAUSE_S = 1.0
NOT_READY = "429 ModelNotReadyException"
WARM_UP_REQUESTS = 20
PROBE_S = 2.0

type ShowProgress = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class FirstLoad:
    """The first invocation of a release: seconds until it was answered, or the error.

    ``cold`` is what the endpoint reported (``None``: nothing); ``retries`` counts the invocations
    that got 429 while the model loaded, within ``seconds``.
    """

    target: str
    seconds: float | None
    error: str | None
    cold: bool | None
    retries: int


@dataclass
class Results:
    """The measurements so far. ``messages`` has the first message of each kind of error."""

    first_loads: list[FirstLoad] = field(default_factory=list)
    stages: list[LoadStage] = field(default_factory=list)
    messages: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False


@dataclass(frozen=True)
class Plan:
    """What to measure: first loads only, ``rates`` (1/s), or numbers of waiting clients.

    With neither ``rates`` nor ``concurrency``, the rates are searched for. ``seconds`` is the
    length of each stage (``None``: what a p99 needs), ``limit`` the p99 (s) for the search.
    """

    first_loads_only: bool = False
    rates: Sequence[float] = ()
    concurrency: Sequence[int] = ()
    seconds: float | None = None
    limit: float | None = None
    timeout_s: float = 60.0


def run_load_test(address: Address, mix: Mix, plan: Plan, progress: ShowProgress) -> Results:
    """Run ``plan`` against ``address``; ``progress`` shows each step. Ctrl-C ends it early."""
    results = Results()

    async def run_plan(generator: Generator) -> None:
        results.messages = generator.messages
        await _LoadTest(generator, mix, plan, results, progress).run_all()
        results.interrupted = generator.stop.is_set()

    run_with_generator(address, plan.timeout_s, run_plan)
    return results


def run_with_generator(
    address: Address, timeout_s: float, work: Callable[[Generator], Coroutine[Any, Any, None]]
) -> None:
    """Run ``work`` in a new event loop, with a generator that Ctrl-C stops."""
    import uvloop

    async def inside() -> None:
        async with Generator(address, timeout_s) as generator:
            if threading.current_thread() is threading.main_thread():
                asyncio.get_running_loop().add_signal_handler(signal.SIGINT, generator.stop.set)
            await work(generator)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(inside())


async def first_load(generator: Generator, mix: Mix, target: str) -> FirstLoad | None:
    """Invoke ``target`` until it answers, while the platform loads it; ``None`` if stopped."""
    begin = time.perf_counter()
    retries = 0
    while True:
        responses = await generator.send_unless_stopped(mix.first(target), begin)
        if not responses:
            return None
        (last,) = responses
        if last.error != NOT_READY or last.done > LOADING_S:
            break
        retries += 1
        await asyncio.sleep(PAUSE_S)
    seconds = last.done if last.error is None else None
    return FirstLoad(target, seconds, last.error, True if retries else last.cold, retries)


class _LoadTest:
    def __init__(
        self, generator: Generator, mix: Mix, plan: Plan, results: Results, progress: ShowProgress
    ) -> None:
        self.generator = generator
        self.mix = mix
        self.plan = plan
        self.results = results
        self.progress = progress

    async def run_all(self) -> None:
        for target in self.mix.targets:
            with self.progress(f"first load of {target}"):
                load = await first_load(self.generator, self.mix, target)
            if load is None:
                return
            self.results.first_loads.append(load)
        if self.plan.first_loads_only or all(load.error for load in self.results.first_loads):
            return
        with self.progress("warming up"):
            await self.generator.closed_loop(iter(self.mix.draw(WARM_UP_REQUESTS)), 1, PROBE_S)
        if self.plan.concurrency:
            for clients in self.plan.concurrency:
                await self.clients(clients, self.plan.seconds or search.SECONDS)
        elif self.plan.rates:
            for rate in self.plan.rates:
                await self.rate(rate)
        else:
            capacity = await search.capacity(self.throughput)
            if capacity and not self.generator.stop.is_set():
                await search.sweep(self.rate, capacity, self.plan.limit)

    async def rate(self, rate: float) -> Point | None:
        """Measure one stage of an open loop; return ``None`` once the test is stopped."""
        if self.generator.stop.is_set():
            return None
        seconds = self.plan.seconds or search.seconds_for(rate)
        times = self.mix.poisson(rate, seconds)
        requests = self.mix.draw(len(times))
        begin = time.perf_counter()
        with self.progress(f"{rate:.4g}/s for {seconds:.0f} s"):
            answers = await self.generator.open_loop(requests, times)
        stage = summarize_open_loop(answers, self._duration(begin, seconds), rate)
        self._record(stage, answers)
        return None if self.generator.stop.is_set() else rate_point(stage)

    async def clients(self, clients: int, seconds: float) -> None:
        """Measure one stage of a closed loop."""
        if self.generator.stop.is_set():
            return
        begin = time.perf_counter()
        with self.progress(f"{clients} waiting clients for {seconds:.0f} s"):
            answers = await self.generator.closed_loop(self.mix.endless(), clients, seconds)
        self._record(
            summarize_closed_loop(answers, clients, self._duration(begin, seconds)), answers
        )

    async def throughput(self, clients: int) -> float:
        """Return the responses a second to waiting clients, without recording a stage."""
        if self.generator.stop.is_set():
            return 0.0
        with self.progress(f"looking for saturation: {clients} waiting clients"):
            answers = await self.generator.closed_loop(self.mix.endless(), clients, PROBE_S)
        good = [answer.done for answer in answers if answer.error is None]
        return len(good) / max(good) if good else 0.0

    def _duration(self, begin: float, seconds: float) -> float:
        if not self.generator.stop.is_set():
            return seconds
        return min(seconds, time.perf_counter() - begin)

    def _record(self, stage: LoadStage, answers: Sequence[LoadResponse]) -> None:
        # a stage that was stopped at once measured nothing
        if answers or not self.generator.stop.is_set():
            self.results.stages.append(stage)
            self.results.stages.sort(key=lambda stage: (stage.concurrency or 0, stage.offered))
