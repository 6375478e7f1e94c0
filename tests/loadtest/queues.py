"""Simulate a server of known behaviour: random arrivals, one worker, random service times."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from slipway.loadtest import arrivals
from slipway.loadtest.exchange import LoadResponse
from slipway.loadtest.knee import Point
from slipway.loadtest.stage import rate_point, summarize_open_loop
from slipway.triton.datatypes import Array

TARGET = "tiny_1.0.0.tar.gz"


def answers(
    rate: float, capacity: float, seconds: float, random: np.random.Generator
) -> list[LoadResponse]:
    """Return the responses of an M/M/1 server of ``capacity`` (1/s) to Poisson arrivals."""
    times = arrivals.poisson(rate, seconds, random)
    return serve([TARGET] * len(times), times, capacity, random)


def serve(
    targets: Sequence[str], times: Array, capacity: float, random: np.random.Generator
) -> list[LoadResponse]:
    """Return the responses of an M/M/1 server to requests for ``targets`` at ``times`` (s)."""
    free = 0.0
    responses = []
    for target, at in zip(targets, map(float, times), strict=True):
        free = max(free, at) + random.exponential(1 / capacity)
        responses.append(LoadResponse(target, at, at, free))
    return responses


def p99(rate: float, capacity: float) -> float:
    """Return the true p99 (s) of an M/M/1 server: its response times are exponential."""
    return math.log(100) / (capacity - rate)


class Server:
    """A server that a load test measures: each call of :meth:`measure` is a stage. In the stages
    ``disturbed``, counted from 1, it does half of what it is asked for."""

    def __init__(
        self, capacity: float, seconds: float, seed: int = 0, disturbed: Sequence[int] = ()
    ) -> None:
        self.capacity = capacity
        self._disturbed = disturbed
        self._stages = 0
        self.points: list[Point] = []
        self._seconds = seconds
        self._random = np.random.default_rng(seed)

    async def measure(self, rate: float) -> Point | None:
        """Measure a stage at ``rate``."""
        self._stages += 1
        disturbed = self._stages in self._disturbed
        capacity = rate / 2 if disturbed else self.capacity
        responses = answers(rate, capacity, self._seconds, self._random)
        self.points.append(rate_point(summarize_open_loop(responses, self._seconds, rate)))
        return self.points[-1]

    async def throughput(self, clients: int) -> float:
        """Return the throughput of waiting clients: the capacity of the one worker."""
        return self.capacity
