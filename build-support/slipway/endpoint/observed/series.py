"""Latency percentiles over time: a summary of each past interval, and the current one's samples."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from slipway.percentiles import nearest_rank

INTERVAL_S = 5
INTERVALS = 180  # a quarter of an hour


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
        self._summaries: deque[Summary] = deque(maxlen=INTERVALS)
        self._latencies: list[float] = []
        self._failed = self._cold = 0
        self._until = _next(time.time())

    def add(self, seconds: float, *, failed: bool, cold: bool) -> None:
        """Record an answer that took ``seconds``."""
        now = time.time()
        if now >= self._until:
            self._close(now)
        self._latencies.append(seconds)
        self._failed += failed
        self._cold += cold

    def summaries(self) -> list[dict[str, Any]]:
        """Return every past interval, the oldest first."""
        now = time.time()
        if now >= self._until:
            self._close(now)
        return [asdict(summary) for summary in self._summaries]

    def _close(self, now: float) -> None:
        milliseconds = sorted(1000 * seconds for seconds in self._latencies)
        p50, p90, p99 = (nearest_rank(milliseconds, level) for level in (0.5, 0.9, 0.99))
        self._summaries.append(
            Summary(self._until, len(milliseconds), self._failed, self._cold, p50, p90, p99)
        )
        self._latencies.clear()
        self._failed = self._cold = 0
        self._until += INTERVAL_S
        # intervals without a request
        first = max(self._until, _next(now) - INTERVALS * INTERVAL_S)
        for end in range(int(first), int(_next(now)), INTERVAL_S):
            self._summaries.append(Summary(end, 0, 0, 0, None, None, None))
        self._until = _next(now)


def _next(now: float) -> float:
    return float((int(now) // INTERVAL_S + 1) * INTERVAL_S)
