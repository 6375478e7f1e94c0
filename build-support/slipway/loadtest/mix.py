"""Draw the requests of a load test: for one release, or for many by popularity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from slipway.loadtest import arrivals
from slipway.loadtest.exchange import Request
from slipway.triton.datatypes import Array

CHUNK = 256


class Mix:
    """Draw requests for the releases of ``requests``, of which the first is the most popular.

    ``shares`` are their shares of the traffic, by Zipf's law with ``exponent``.
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
        """Return ``count`` requests: a release by popularity, with one of its inputs."""
        chosen = self._random.choice(len(self.targets), size=count, p=self.shares)
        return [self._draw_input(int(index)) for index in chosen]

    def endless(self) -> Iterator[Request]:
        """Yield requests without end."""
        while True:
            yield from self.draw(CHUNK)

    def poisson(self, rate: float, seconds: float) -> Array:
        """Return the times (s) at which to send; see :func:`arrivals.poisson`."""
        return arrivals.poisson(rate, seconds, self._random)

    def first(self, target: str) -> Request:
        """Return the first request for ``target``."""
        return self._requests[self.targets.index(target)][0]

    def _draw_input(self, index: int) -> Request:
        requests = self._requests[index]
        return requests[int(self._random.integers(len(requests)))]


def shuffle(targets: Sequence[str], random: np.random.Generator) -> list[str]:
    """Return ``targets`` in random order of popularity, independent of their age and name."""
    return [targets[int(index)] for index in random.permutation(len(targets))]
