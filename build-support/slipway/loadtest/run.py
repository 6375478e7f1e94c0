"""Runs a load test: first loads, then stages of a rate or of a number of clients."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from slipway.loadtest import search, stage
from slipway.loadtest.address import Address
from slipway.loadtest.answer import Answer
from slipway.loadtest.generator import Generator
from slipway.loadtest.knee import Point
from slipway.loadtest.mix import Mix
from slipway.loadtest.stage import Stage

# the platform goes on loading for so long while invocations are told to come back
# (AWS, mms-container-apis.html)
LOADING_S = 360.0
PAUSE_S = 1.0
NOT_READY = "429 ModelNotReadyException"
WARMING = 20
PROBE_S = 2.0

type Doing = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class FirstLoad:
    """The first invocation of a release: seconds to its answer, or why there was none.

    ``cold`` is what the endpoint said (``None``: nothing); ``retries`` counts invocations that were
    told to come back, within ``seconds``.
    """

    target: str
    seconds: float | None
    error: str | None
    cold: bool | None
    retries: int


@dataclass
class Results:
    """What was measured until now. ``messages`` has the first message of each kind of error."""

    first_loads: list[FirstLoad] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    messages: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False


@dataclass(frozen=True)
class Plan:
    """What to measure: first loads only; or ``rates`` (1/s), or ``concurrency`` of waiting clients;
    with none of them, rates that are searched for.

    ``seconds`` is the length of each stage (``None``: what a p99 needs), ``limit`` the p99 (s)
    that the search asks for.
    """

    first_loads_only: bool = False
    rates: Sequence[float] = ()
    concurrency: Sequence[int] = ()
    seconds: float | None = None
    limit: float | None = None
    timeout_s: float = 60.0


def run(address: Address, mix: Mix, plan: Plan, doing: Doing) -> Results:
    """Run ``plan`` against ``address``; ``doing`` is told what goes on. Ctrl-C ends it early."""
    results = Results()

    async def all_of_it(generator: Generator) -> None:
        results.messages = generator.messages
        await _Run(generator, mix, plan, results, doing).whole()
        results.interrupted = generator.stop.is_set()

    with_generator(address, plan.timeout_s, all_of_it)
    return results


def with_generator(
    address: Address, timeout_s: float, work: Callable[[Generator], Coroutine[Any, Any, None]]
) -> None:
    """Run ``work`` in a loop of its own, with a generator that Ctrl-C stops."""
    import uvloop

    async def inside() -> None:
        async with Generator(address, timeout_s) as generator:
            if threading.current_thread() is threading.main_thread():
                asyncio.get_running_loop().add_signal_handler(signal.SIGINT, generator.stop.set)
            await work(generator)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(inside())


async def first_load(generator: Generator, mix: Mix, target: str) -> FirstLoad | None:
    """Invoke ``target`` until it answers, as long as the platform loads; ``None`` if stopped."""
    begin = time.perf_counter()
    retries = 0
    while True:
        answers = await generator.once(mix.first(target), begin)
        if not answers:
            return None
        (last,) = answers
        if last.error != NOT_READY or last.done > LOADING_S:
            break
        retries += 1
        await asyncio.sleep(PAUSE_S)
    seconds = last.done if last.error is None else None
    return FirstLoad(target, seconds, last.error, True if retries else last.cold, retries)


class _Run:
    def __init__(
        self, generator: Generator, mix: Mix, plan: Plan, results: Results, doing: Doing
    ) -> None:
        self.generator = generator
        self.mix = mix
        self.plan = plan
        self.results = results
        self.doing = doing

    async def whole(self) -> None:
        for target in self.mix.targets:
            with self.doing(f"first load of {target}"):
                found = await first_load(self.generator, self.mix, target)
            if found is None:
                return
            self.results.first_loads.append(found)
        if self.plan.first_loads_only or all(found.error for found in self.results.first_loads):
            return
        with self.doing("warming up"):
            await self.generator.closed_loop(iter(self.mix.draw(WARMING)), 1, PROBE_S)
        if self.plan.concurrency:
            for clients in self.plan.concurrency:
                await self.clients(clients, self.plan.seconds or search.SECONDS)
        elif self.plan.rates:
            for rate in self.plan.rates:
                await self.rate(rate)
        else:
            most = await search.capacity(self.throughput)
            if most and not self.generator.stop.is_set():
                await search.sweep(self.rate, most, self.plan.limit)

    async def rate(self, rate: float) -> Point | None:
        """One stage of an open loop; ``None`` once the test is stopped."""
        if self.generator.stop.is_set():
            return None
        seconds = self.plan.seconds or search.seconds_for(rate)
        times = self.mix.poisson(rate, seconds)
        requests = self.mix.draw(len(times))
        begin = time.perf_counter()
        with self.doing(f"{rate:.4g}/s for {seconds:.0f} s"):
            answers = await self.generator.open_loop(requests, times)
        made = stage.open_loop(answers, self._lasted(begin, seconds))
        self._keep(made, answers)
        return None if self.generator.stop.is_set() else stage.point(made)

    async def clients(self, clients: int, seconds: float) -> None:
        """One stage of a closed loop."""
        if self.generator.stop.is_set():
            return
        begin = time.perf_counter()
        with self.doing(f"{clients} waiting clients for {seconds:.0f} s"):
            answers = await self.generator.closed_loop(self.mix.endless(), clients, seconds)
        self._keep(stage.closed_loop(answers, clients, self._lasted(begin, seconds)), answers)

    async def throughput(self, clients: int) -> float:
        """Answers a second to waiting clients; not kept."""
        if self.generator.stop.is_set():
            return 0.0
        with self.doing(f"looking for saturation: {clients} waiting clients"):
            answers = await self.generator.closed_loop(self.mix.endless(), clients, PROBE_S)
        good = [answer.done for answer in answers if answer.error is None]
        return len(good) / max(good) if good else 0.0

    def _lasted(self, begin: float, seconds: float) -> float:
        if not self.generator.stop.is_set():
            return seconds
        return min(seconds, time.perf_counter() - begin)

    def _keep(self, made: Stage, answers: Sequence[Answer]) -> None:
        # of a stage that was stopped at once, there is nothing to say
        if answers or not self.generator.stop.is_set():
            self.results.stages.append(made)
            self.results.stages.sort(key=lambda each: (each.concurrency or 0, each.offered))
