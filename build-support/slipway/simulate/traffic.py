"""When requests arrive, and for which model: drawn by Zipf's law, or as they were captured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from slipway.capture.record import CapturedRequest
from slipway.errors import SlipwayError
from slipway.loadtest import arrivals
from slipway.triton.datatypes import Array

FEWEST = 100


@dataclass(frozen=True)
class Traffic:
    """``times`` in seconds, ascending from 0, and the number of the model of each request.

    ``shares`` are the models' shares of it. ``targets`` are the models' names, if they have any.
    """

    times: Array
    models: Array
    shares: Array
    targets: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Return the time from the first request to the last."""
        return float(self.times[-1] - self.times[0])

    @property
    def rate(self) -> float:
        """Return the requests a second."""
        return len(self.times) / self.seconds if self.seconds else 0.0

    def faster(self, factor: float) -> Traffic:
        """Return the same requests at ``factor`` times the rate."""
        return Traffic(self.times / factor, self.models, self.shares, self.targets)


def draw_traffic(
    models: int, rate: float, requests: int, exponent: float, random: np.random.Generator
) -> Traffic:
    """Return about ``requests`` of a Poisson process of ``rate`` a second, for models that are
    popular by Zipf's law; which model is the how popular is drawn, too."""
    times = arrivals.poisson(rate, requests / rate, random)
    if not len(times):
        times = np.zeros(1)
    shares = arrivals.zipf(models, exponent)[np.argsort(random.permutation(models))]
    return Traffic(times, random.choice(models, size=len(times), p=shares), shares)


def captured_traffic(requests: Iterable[CapturedRequest], where: str) -> Traffic:
    """Return captured requests by their times and target models; shadows ask nothing themselves.

    Raises:
        SlipwayError: there are too few.
    """
    rows = [(r.when.timestamp(), r.target) for r in requests if r.role == "answer" and r.target]
    if len(rows) < FEWEST:
        raise SlipwayError(
            f"{len(rows)} requests are captured, and a simulation needs {FEWEST}",
            where=where,
            fix="an earlier --since, such as 30d; another --endpoint or --captures; or drawn ones:"
            " --models 50 --traffic 10/s without --captured",
        )
    rows.sort()
    return traffic_of([when for when, _ in rows], [target for _, target in rows])


def traffic_of(times: list[float], targets: list[str]) -> Traffic:
    """Return the requests for ``targets`` at ``times`` (s, ascending)."""
    names, numbers, counts = np.unique(np.asarray(targets), return_inverse=True, return_counts=True)
    moments = np.asarray(times, dtype=np.float64)
    shares = counts / counts.sum()
    return Traffic(moments - moments[0], numbers, shares, tuple(str(name) for name in names))
