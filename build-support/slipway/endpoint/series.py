"""Latency percentiles over time: one summary for each interval, the running one's samples."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

INTERVAL_S = 5
KEPT = 180  # a quarter of an hour


@dataclass(frozen=True)
class Summary:
    """One interval: its end in seconds since 1970, requests, failed and cold ones, percentiles of
    the latency in milliseconds (``None`` without a request)."""

    when: float
    requests: int
    failed: int
    cold: int
    p50: float | None
    p90: float | None
    p99: float | None


class Series:
    """Summaries of the last quarter of an hour."""

    def __init__(self) -> None:
        self._summaries: deque[Summary] = deque(maxlen=KEPT)
        self._latencies: list[float] = []
        self._failed = self._cold = 0
        self._until = _next(time.time())

    def add(self, seconds: float, *, failed: bool, cold: bool) -> None:
        """An answer came after ``seconds``."""
        now = time.time()
        if now >= self._until:
            self._close(now)
        self._latencies.append(seconds)
        self._failed += failed
        self._cold += cold

    def summaries(self) -> list[dict[str, Any]]:
        """Every interval that is over, the oldest first."""
        now = time.time()
        if now >= self._until:
            self._close(now)
        return [asdict(summary) for summary in self._summaries]

    def _close(self, now: float) -> None:
        milliseconds = sorted(1000 * seconds for seconds in self._latencies)
        p50, p90, p99 = (percentile(milliseconds, share) for share in (0.5, 0.9, 0.99))
        self._summaries.append(
            Summary(self._until, len(milliseconds), self._failed, self._cold, p50, p90, p99)
        )
        self._latencies.clear()
        self._failed = self._cold = 0
        self._until += INTERVAL_S
        # nothing came for some time
        first = max(self._until, _next(now) - KEPT * INTERVAL_S)
        for end in range(int(first), int(_next(now)), INTERVAL_S):
            self._summaries.append(Summary(end, 0, 0, 0, None, None, None))
        self._until = _next(now)


def percentile(ordered: list[float], share: float) -> float | None:
    """The nearest-rank percentile of sorted values; ``None`` of none."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def _next(now: float) -> float:
    return float((int(now) // INTERVAL_S + 1) * INTERVAL_S)
