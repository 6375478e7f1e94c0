"""Summarize one stage of a load test from its responses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from slipway.loadtest.exchange import LoadResponse
from slipway.loadtest.knee import Point
from slipway.loadtest.latencies import Latencies, summarize_latencies

# share of a stage that is not measured: queues fill up first
SETTLING = 0.1
# share of the p99 that the generator's own delay may have before it is reported
LATE = 0.2


@dataclass(frozen=True)
class LoadStage:
    """The measurements of one stage.

    Rates are requests a second in the measured time, which begins after settling and ends with the
    schedule: ``offered`` is the scheduled rate, ``achieved`` the rate of responses.
    ``intended`` is the rate that the random arrivals were drawn for; stages of equal ``intended``
    are repetitions. ``concurrency`` is that of a closed loop, else ``None``. Latencies are of the
    requests that were due in that time, whenever they were answered. ``cold`` are those that waited
    for a load, ``warm`` all others, also where the endpoint does not report it. Failed requests are
    counted in ``errors`` by kind, for the complete stage, and are in no latency. ``lag_p99`` (s) is
    how late the generator sent.
    """

    offered: float
    achieved: float
    concurrency: int | None
    seconds: float
    requests: int
    errors: Mapping[str, int]
    warm: Latencies
    cold: Latencies
    lag_p99: float
    targets: Mapping[str, Mapping[str, int]]
    intended: float | None = None

    @property
    def failed(self) -> float:
        """Return the share of requests that failed."""
        return sum(self.errors.values()) / self.requests if self.requests else 0.0

    @property
    def saturated(self) -> bool:
        """Return whether requests arrived faster than they were answered."""
        return rate_point(self).saturated

    @property
    def late(self) -> bool:
        """Return whether the generator missed its schedule: it is late by a fifth of the p99."""
        slow = self.warm.p99 or self.warm.largest or 0.0
        return self.lag_p99 > LATE * slow > 0


def summarize_open_loop(
    answers: Sequence[LoadResponse], seconds: float, intended: float | None = None
) -> LoadStage:
    """Return the stage of an open loop whose schedule was ``seconds`` long, with arrivals drawn for
    the rate ``intended`` (1/s)."""
    settled = SETTLING * seconds
    due = [answer for answer in answers if settled <= answer.intended < seconds]
    done = [a for a in answers if a.error is None and settled <= a.done < seconds]
    measured = seconds - settled
    stage = _summarize(answers, due, len(due) / measured, len(done) / measured, None, seconds)
    return replace(stage, intended=intended)


def summarize_closed_loop(
    answers: Sequence[LoadResponse], concurrency: int, seconds: float
) -> LoadStage:
    """Return the stage of a closed loop of ``concurrency`` clients that sent for ``seconds``."""
    settled = SETTLING * seconds
    due = [answer for answer in answers if answer.intended >= settled]
    done = [a for a in answers if a.error is None and settled <= a.done < seconds]
    rate = len(done) / (seconds - settled)
    return _summarize(answers, due, rate, rate, concurrency, seconds)


def _summarize(
    answers: Sequence[LoadResponse],
    due: Sequence[LoadResponse],
    offered: float,
    achieved: float,
    concurrency: int | None,
    seconds: float,
) -> LoadStage:
    good = [answer for answer in due if answer.error is None]
    lags = [answer.sent - answer.intended for answer in answers]
    targets: dict[str, dict[str, int]] = {}
    for answer in answers:
        counts = targets.setdefault(answer.target, {"requests": 0, "failed": 0, "cold": 0})
        counts["requests"] += 1
        counts["failed"] += answer.error is not None
        counts["cold"] += answer.cold is True
    return LoadStage(
        offered=offered,
        achieved=achieved,
        concurrency=concurrency,
        seconds=seconds,
        requests=len(answers),
        errors=dict(Counter(answer.error for answer in answers if answer.error is not None)),
        warm=summarize_latencies([answer.latency for answer in good if not answer.cold]),
        cold=summarize_latencies([answer.latency for answer in good if answer.cold]),
        lag_p99=float(np.quantile(lags, 0.99)) if lags else 0.0,
        targets=targets,
    )


def rate_point(stage: LoadStage) -> Point:
    """Return the values that determine the knee; the p99 is that of warm responses."""
    return Point(stage.offered, stage.achieved, stage.warm.p99, stage.failed, stage.intended)
