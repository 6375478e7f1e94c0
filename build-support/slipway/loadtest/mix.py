"""The requests of a test: for one release, or for many with a popularity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from slipway.loadtest import arrivals
from slipway.loadtest.answer import Request
from slipway.triton.datatypes import Array

CHUNK = 256


class Mix:
    """Draws requests for the releases of ``requests``, the first the most popular.

    ``shares`` is the part of the traffic of each, by Zipf's law with ``exponent``.
    """

    def __init__(
        self,
        requests: Mapping[str, Sequence[Request]],
        random: np.random.Generator,
        exponent: float = 0.0,
    ) -> None:
        self.targets = tuple(requests)
        self.shares = arrivals.zipf(len(self.targets), exponent)
        self._requests = [tuple(requests[target]) for target in self.targets]
        self._random = random

    def draw(self, count: int) -> list[Request]:
        """Return ``count`` requests, each for a release by popularity, with one of its inputs."""
        chosen = self._random.choice(len(self.targets), size=count, p=self.shares)
        return [self._one(int(index)) for index in chosen]

    def endless(self) -> Iterator[Request]:
        """Requests without end."""
        while True:
            yield from self.draw(CHUNK)

    def poisson(self, rate: float, seconds: float) -> Array:
        """The times (s) at which to send; see :func:`arrivals.poisson`."""
        return arrivals.poisson(rate, seconds, self._random)

    def first(self, target: str) -> Request:
        """The first request there is for ``target``."""
        return self._requests[self.targets.index(target)][0]

    def _one(self, index: int) -> Request:
        requests = self._requests[index]
        return requests[int(self._random.integers(len(requests)))]


def shuffled(targets: Sequence[str], random: np.random.Generator) -> list[str]:
    """``targets`` in an order of popularity that has nothing to do with their age or name."""
    return [targets[int(index)] for index in random.permutation(len(targets))]
