"""Hold ``slipway simulate`` against the local endpoint: the same requests at the same times.

A real endpoint with room for some of its models answers Zipf's traffic. What it took for loads,
unloads and requests in one half of the time calibrates the simulation, which is then given all
requests; the other half is compared. Both halves are, each calibrated by the other. A last report
is the simulation's own speed.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import aiohttp
import numpy as np

from benchmarks.context import BenchmarkContext
from benchmarks.result import Report, Row, alone, number, seconds
from slipway import settings as configuration
from slipway.endpoint import serving
from slipway.endpoint.limits import Limits
from slipway.endpoint.observed.timings import Timings
from slipway.loadtest import arrivals
from slipway.server.client import TARGET
from slipway.settings import EndpointSettings
from slipway.simulate.distribution import constant, measured
from slipway.simulate.engine import simulate
from slipway.simulate.fleet import Fleet, Models, Scaling, Shape
from slipway.simulate.outcome import COLD, HIT
from slipway.simulate.theory import che_hit_rate
from slipway.simulate.traffic import draw_traffic, traffic_of
from slipway.triton import kserve
from slipway.triton.datatypes import Array
from tests.endpoint.shelf import Shelf

# models, and how many of them the endpoint may have loaded
SIZES = ((5, 3), (10, 6), (20, 12), (40, 28))
ZIPF, SECONDS = 0.9, 300.0
HALF = 150  # requests of a half, at least: of 89, two decide upon the hit rate's limit
BUSY = 0.35  # share of the time in which the endpoint loads or unloads a model
SEEDS = 20  # simulations of one run: their mean is what is expected, the run itself is one draw
UNLIMITED = 1e15
POINTS, SHARE = 0.02, 0.20
MILLION, MOST_S = 1_000_000, 10.0
PATH = "/endpoints/local/invocations"


@dataclass(frozen=True)
class Asked:
    """One request: when it was sent (s), its target model, what it took (s) and what it met."""

    when: float
    target: str
    seconds: float
    was_loaded: bool


@dataclass(frozen=True)
class Compared:
    """A run's hit rate and its cold starts' seconds, simulated and measured, and its errors."""

    what: str
    hits: tuple[float, float]
    cold: tuple[Array, Array]
    failed: Sequence[str]


def measure(context: BenchmarkContext) -> list[Report]:
    """Compare hit rate and cold starts at several sizes, then measure a million requests."""
    sizes = SIZES[1:2] if context.quick else SIZES
    runs = [_compare(context, *size, seed) for seed, size in enumerate(sizes)]
    rows = [_row_of_hits(run.what, *run.hits) for run in runs]
    rows += [_row_of_cold(run.what, *run.cold, 90) for run in runs]
    ours, theirs = (np.concatenate([run.cold[side] for run in runs]) for side in (0, 1))
    # one run has too few for a p99 of its own
    rows += [_row_of_cold("all", ours, theirs, level) for level in (50, 90, 99)]
    failed = [error for run in runs for error in run.failed]
    for error in failed:
        print(error, file=sys.stderr)
    rows.append(alone("requests answered with an error", len(failed), number, at_most=0))
    title = f"Simulation, {_length(context):.0f} s or more, each half calibrated by the other"
    return [Report(title, "the local endpoint", rows), _speed(context)]


def _length(context: BenchmarkContext) -> float:
    return 30.0 if context.quick else SECONDS


def _compare(context: BenchmarkContext, count: int, room: int, seed: int) -> Compared:
    shelf = Shelf(context.work / f"fleet-{count}")
    targets = [shelf.put(number) for number in range(count)]
    settings = configuration.Settings(root=context.work)
    entry = EndpointSettings("local", store=str(shelf.folder), allow=("*",))
    limits = Limits(models=room, not_ready_s=600.0)
    with serving.serve_in_thread(settings, [entry], limits=lambda _: limits, isolated=False) as up:
        timings = up.endpoints["local"].observer.timings
        run = _Run(up.url, timings, targets, room, np.random.default_rng(seed))
        asyncio.run(run.ask_all(_length(context), 0 if context.quick else HALF))
    return run.compare(f"{count} models, room for {room}")


class _Run:
    """Traffic for the endpoint at ``url``: every model once, one after the other, then Zipf's."""

    def __init__(
        self,
        url: str,
        timings: Timings,
        targets: list[str],
        room: int,
        random: np.random.Generator,
    ) -> None:
        self.asked: list[Asked] = []
        self.failed: list[str] = []  # errors, which are compared with nothing
        self.begin, self.half = 0.0, 0.0  # of Zipf's traffic
        self.measured: list[dict[str, list[float]]] = []  # of each half
        self._url, self._timings, self._targets = url, timings, targets
        self._room, self._random = room, random
        self._origin = time.perf_counter()

    def _now(self) -> float:
        return time.perf_counter() - self._origin

    async def ask_all(self, length: float, half: int) -> None:
        """Send everything; the rate follows from what the first loads took.

        It takes ``length`` seconds, or longer until about ``half`` requests are in each half.
        """
        timeout = aiohttp.ClientTimeout(total=600)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for target in self._targets:
                await self._ask(session, self._now(), target)
            busy_s = float(np.mean(self._timings.load)) + float(np.mean(self._timings.unload))
            shares = arrivals.zipf(len(self._targets), ZIPF)
            misses = 1 - che_hit_rate(shares, np.ones(len(shares)), self._room)
            rate = BUSY / (misses * busy_s)
            length = max(length, 2 * half / rate)
            times = arrivals.poisson(rate, length, self._random)
            chosen = self._random.choice(len(shares), size=len(times), p=shares)
            self.begin = self._now()
            self.half = self.begin + length / 2
            await asyncio.gather(
                self._look(),
                *(
                    self._ask(session, self.begin + float(at), self._targets[index])
                    for at, index in zip(times, chosen, strict=True)
                ),
            )
        self.asked.sort(key=lambda each: each.when)
        (first,) = self.measured
        # each model is downloaded once, before either half: the second one has only those seconds
        self.measured.append(
            {name: s[len(first[name]) :] or s for name, s in self._timings.dump().items()}
        )

    async def _look(self) -> None:
        await asyncio.sleep(self.half - self._now())
        self.measured.append(self._timings.dump())

    async def _ask(self, session: aiohttp.ClientSession, due: float, target: str) -> None:
        body, content_type = kserve.encode({"X": np.zeros(3, np.float32)})
        headers = {TARGET: target, "Content-Type": content_type}
        await asyncio.sleep(max(0.0, due - self._now()))
        sent = self._now()
        async with session.post(self._url + PATH, data=body, headers=headers) as answer:
            text = await answer.read()
            if answer.status != 200:
                self.failed.append(f"{target}: {answer.status} {text.decode(errors='replace')}")
                return
            hit = answer.headers["X-Slipway-Model-Cache"] == "hit"
        self.asked.append(Asked(sent, target, self._now() - sent, hit))

    def compare(self, what: str) -> Compared:
        """Return what was measured in each half, and what a simulation expects there."""
        when = np.array([each.when for each in self.asked])
        early, late = (self.begin <= when) & (when < self.half), self.half <= when
        hit = np.array([each.was_loaded for each in self.asked])
        took = np.array([each.seconds for each in self.asked])
        hits, colds = [], []
        for measured_s, half in zip(self.measured, (late, early), strict=True):
            for status, latency in self._simulated(measured_s):
                hits.append(status[half] == HIT)
                colds.append(latency[half & (status == COLD)])
        judged = early | late
        return Compared(
            f"{what}, {np.count_nonzero(judged)} requests",
            (float(np.mean(np.concatenate(hits))), float(np.mean(hit[judged]))),
            (np.concatenate(colds), took[judged & ~hit]),
            self.failed,
        )

    def _simulated(self, measured_s: Mapping[str, list[float]]) -> Iterator[tuple[Array, Array]]:
        """Yield status and latency of all requests, once for each seed."""
        asked = self.asked
        traffic = traffic_of([each.when for each in asked], [each.target for each in asked])
        ones = np.ones(len(traffic.targets))
        took_s = {name: measured(values) for name, values in measured_s.items()}
        models = Models(
            ones,
            ones,
            took_s["load"],
            took_s["serve"],
            took_s["unload"],
            took_s["download"],
            took_s["settle"],
            took_s["first"],
            took_s["ending"],
        )
        shape = Shape(os.cpu_count() or 1, UNLIMITED, UNLIMITED, self._room, "afterwards")
        fleet = Fleet(shape, 1, not_ready_s=600.0)
        for seed in range(SEEDS):
            outcome = simulate(models, fleet, traffic, seed)
            yield outcome.status, outcome.latency


def _row_of_cold(what: str, ours: Array, theirs: Array, level: int) -> Row:
    simulated, real = (
        float(np.percentile(each, level, method="inverted_cdf")) for each in (ours, theirs)
    )
    ratio, is_judged = simulated / real, level == 99
    return Row(
        f"{what}: p{level} of {len(theirs)} cold starts",
        seconds(simulated),
        seconds(real),
        f"{ratio:.2f}×",
        f"within {SHARE:.0%}" if is_judged else "",
        abs(ratio - 1) <= SHARE if is_judged else None,
    )


def _row_of_hits(what: str, ours: float, theirs: float) -> Row:
    return Row(
        f"{what}: hit rate",
        f"{ours:.1%}",
        f"{theirs:.1%}",
        f"{100 * (ours - theirs):+.1f} points",
        f"within {100 * POINTS:g} points",
        abs(ours - theirs) <= POINTS,
    )


def _speed(context: BenchmarkContext) -> Report:
    rows = []
    count = MILLION // 10 if context.quick else MILLION
    for models, instances, scaling in (
        (10, 2, None),
        (1_000, 10, None),
        (10_000, 60, None),
        (1_000, 10, Scaling(1_200, 10, 20)),
    ):
        traffic = draw_traffic(models, 200.0, count, 1.0, np.random.default_rng(0))
        size = np.full(models, 200e6)
        described = Models(
            size, size, load=constant(2.0), serve=constant(0.02), unload=constant(0.7)
        )
        fleet = Fleet(Shape(8, 30e9, 60e9), instances, scaling)
        began = time.process_time()
        outcome = simulate(described, fleet, traffic, is_filled=True)
        took = time.process_time() - began
        room = 30e9 * instances
        che = che_hit_rate(traffic.shares, size, room)
        hits = outcome.summarize(0.2).hit_rate
        scaled = ", scaled" if scaling else ""
        rows.append(
            dataclasses.replace(
                alone(
                    f"{count:,} requests, {models:,} models, {instances} instances{scaled}",
                    took,
                    seconds,
                    at_most=MOST_S,
                ),
                theirs="" if scaling else f"hits {hits:.1%}, Che {che:.1%}",
            )
        )
    return Report("Simulation, processor time", "Che's approximation", rows)
