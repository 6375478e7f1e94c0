"""Zipf's traffic for a real endpoint, and what a simulation expects of the same requests."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import aiohttp
import numpy as np

from slipway.endpoint.observed.timings import SAMPLES, Timings
from slipway.loadtest import arrivals
from slipway.server.client import TARGET
from slipway.simulate.distribution import measured
from slipway.simulate.engine import simulate
from slipway.simulate.fleet import Fleet, Models, Shape
from slipway.simulate.outcome import COLD, HIT
from slipway.simulate.theory import che_hit_rate
from slipway.simulate.traffic import traffic_of
from slipway.triton import kserve
from slipway.triton.datatypes import Array

ZIPF = 0.9
BUSY = 0.35  # share of the time in which the endpoint loads or unloads a model
SEEDS = 20  # simulations of one run: their mean is what is expected, the run itself is one draw
UNLIMITED = 1e15
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


class Run:
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
        if full := [name for name, kept in vars(self._timings).items() if len(kept) == SAMPLES]:
            raise RuntimeError(f"over {SAMPLES - 1} times of {', '.join(full)}: no halves to tell")
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
