"""A server of known behaviour, computed: requests that come at random, one worker, random times."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from slipway.loadtest import arrivals, stage
from slipway.loadtest.answer import Answer
from slipway.loadtest.knee import Point
from slipway.triton.datatypes import Array

TARGET = "tiny_1.0.0.tar.gz"


def answers(
    rate: float, capacity: float, seconds: float, random: np.random.Generator
) -> list[Answer]:
    """What an M/M/1 server of ``capacity`` (1/s) answers to Poisson arrivals of ``rate``."""
    times = arrivals.poisson(rate, seconds, random)
    return serve([TARGET] * len(times), times, capacity, random)


def serve(
    targets: Sequence[str], times: Array, capacity: float, random: np.random.Generator
) -> list[Answer]:
    """The answers of such a server to requests for ``targets`` at ``times`` (s)."""
    free = 0.0
    served = []
    for target, at in zip(targets, map(float, times), strict=True):
        free = max(free, at) + random.exponential(1 / capacity)
        served.append(Answer(target, at, at, free))
    return served


def p99(rate: float, capacity: float) -> float:
    """The true p99 (s) of such a server: its response times are exponential."""
    return math.log(100) / (capacity - rate)


class Server:
    """Measured as a load test measures: each call of :meth:`measure` is a stage."""

    def __init__(self, capacity: float, seconds: float, seed: int = 0) -> None:
        self.capacity = capacity
        self.points: list[Point] = []
        self._seconds = seconds
        self._random = np.random.default_rng(seed)

    async def measure(self, rate: float) -> Point | None:
        """A stage at ``rate``."""
        found = answers(rate, self.capacity, self._seconds, self._random)
        self.points.append(stage.point(stage.open_loop(found, self._seconds)))
        return self.points[-1]

    async def throughput(self, clients: int) -> float:
        """What waiting clients reach: all that the one worker can do."""
        return self.capacity
