"""What became of the simulated requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from slipway.triton.datatypes import Array

HIT, COLD, NOT_READY, FAILED = range(4)
LEVELS = {"p50": 0.50, "p90": 0.90, "p99": 0.99}


@dataclass(frozen=True)
class Summary:
    """Shares of the requests, and percentiles in seconds (``None``: there were none).

    ``hit_rate``: they found their model loaded. ``cold`` ones waited for a load; ``not_ready`` ones
    got ModelNotReadyException after 60 s; ``failed`` ones asked for a model that does not fit, or
    took too long to load. ``instances`` is the mean number that was paid for.
    """

    requests: int
    hit_rate: float
    not_ready: float
    failed: float
    latency: dict[str, float | None]
    warm: dict[str, float | None]
    cold: dict[str, float | None]
    instances: float


@dataclass(frozen=True)
class Outcome:
    """By request: when it was sent, the ``latency`` (s) and what became of it (``status``).

    ``history`` has the time and number of instances in service at each change;
    ``instance_seconds`` were paid for until ``last``; ``most_memory`` is the most that an instance
    had in use (bytes), and ``overflows`` how often that was more than it has.
    """

    times: Array
    latency: Array
    status: Array
    loads: int
    evictions: int
    downloads: int
    history: tuple[tuple[float, int], ...]
    instance_seconds: float
    last: float
    most_memory: float
    overflows: int

    def summarize(self, warm_up: float = 0.0) -> Summary:
        """Return the summary of all requests but the first ones, a share of ``warm_up`` of them."""
        begin = int(len(self.times) * warm_up)
        status, latency = self.status[begin:], self.latency[begin:]
        count = len(status)
        seconds = self.last - float(self.times[0])
        answered = latency[status <= COLD]
        return Summary(
            count,
            _share(status == HIT),
            _share(status == NOT_READY),
            _share(status == FAILED),
            percentiles(answered),
            percentiles(latency[status == HIT]),
            percentiles(latency[status == COLD]),
            self.instance_seconds / seconds if seconds else float(self.history[-1][1]),
        )


def percentiles(values: Array) -> dict[str, float | None]:
    """Return the percentiles by the nearest rank."""
    if not len(values):
        return dict.fromkeys(LEVELS)
    levels: Any = np.quantile(values, list(LEVELS.values()), method="inverted_cdf")
    return dict(zip(LEVELS, map(float, levels), strict=True))


def _share(chosen: Array) -> float:
    return float(np.count_nonzero(chosen)) / len(chosen) if len(chosen) else 0.0
