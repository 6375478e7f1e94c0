"""One stage of a load test: its numbers, from its answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from slipway.loadtest.answer import Answer
from slipway.loadtest.knee import Point
from slipway.loadtest.latencies import Latencies, summarize_latencies

# of a stage's time: a queue has to fill before it has its length
SETTLING = 0.1
# the generator's own delay may be so much of the p99 before it is told
LATE = 0.2


@dataclass(frozen=True)
class Stage:
    """Rates are requests a second in the stage's measured time: after it has settled, before the
    schedule ended. ``offered`` is what the schedule wanted, ``achieved`` what was answered.

    ``concurrency`` is that of a closed loop, else ``None``. Latencies are of the requests that
    were due in that time, whenever their answers came: ``warm`` (and those not known to be cold)
    apart from ``cold``, which waited for a load. Failed requests are in ``errors`` by kind, of all
    the stage, and in no latency. ``lag_p99`` (s) is how late the generator sent.
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

    @property
    def failed(self) -> float:
        """The share of requests that failed."""
        return sum(self.errors.values()) / self.requests if self.requests else 0.0

    @property
    def saturated(self) -> bool:
        """Whether requests came faster than they were answered."""
        return point(self).saturated

    @property
    def late(self) -> bool:
        """Whether the generator could not keep its schedule: its delay is a fifth of the p99."""
        slow = self.warm.p99 or self.warm.largest or 0.0
        return self.lag_p99 > LATE * slow > 0


def open_loop(answers: Sequence[Answer], seconds: float) -> Stage:
    """The stage of an open loop whose schedule was ``seconds`` long."""
    settled = SETTLING * seconds
    due = [answer for answer in answers if settled <= answer.intended < seconds]
    done = [a for a in answers if a.error is None and settled <= a.done < seconds]
    measured = seconds - settled
    return _stage(answers, due, len(due) / measured, len(done) / measured, None, seconds)


def closed_loop(answers: Sequence[Answer], concurrency: int, seconds: float) -> Stage:
    """The stage of a closed loop of ``concurrency`` clients that sent for ``seconds``."""
    settled = SETTLING * seconds
    due = [answer for answer in answers if answer.intended >= settled]
    done = [a for a in answers if a.error is None and settled <= a.done < seconds]
    rate = len(done) / (seconds - settled)
    return _stage(answers, due, rate, rate, concurrency, seconds)


def _stage(
    answers: Sequence[Answer],
    due: Sequence[Answer],
    offered: float,
    achieved: float,
    concurrency: int | None,
    seconds: float,
) -> Stage:
    good = [answer for answer in due if answer.error is None]
    lags = [answer.sent - answer.intended for answer in answers]
    targets: dict[str, dict[str, int]] = {}
    for answer in answers:
        counted = targets.setdefault(answer.target, {"requests": 0, "failed": 0, "cold": 0})
        counted["requests"] += 1
        counted["failed"] += answer.error is not None
        counted["cold"] += answer.cold is True
    return Stage(
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


def point(made: Stage) -> Point:
    """What the knee is found from; the p99 is that of warm answers."""
    return Point(made.offered, made.achieved, made.warm.p99, made.failed)
