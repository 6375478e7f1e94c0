"""Search for the knee: increase the rate to saturation, then halve the interval. A rate that failed
below one that passed is measured again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from slipway.loadtest import knee
from slipway.loadtest.knee import Point, doubtful_rate, find_knee
from slipway.loadtest.latencies import answers_needed

# of the throughput of waiting clients
FRACTIONS = (0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0)
HALVINGS = 3
ENOUGH = 2  # saturated rates in succession
# if twice the clients bring less gain than this, the server's capacity is reached
GAIN = 1.05
MAX_CLIENTS = 64
SECONDS = 10.0
# rates that need longer than this for a p99 are skipped
PATIENCE_S = 60.0


def seconds_for(rate: float) -> float:
    """Return the length of a stage: 10 s, or until there are enough responses for a p99."""
    # a tenth is not measured, and the number of arrivals varies
    return max(SECONDS, 1.3 * answers_needed(0.99) / rate)


async def capacity(throughput: Callable[[int], Awaitable[float]]) -> float:
    """Return the highest rate (1/s) of closed loops.

    The number of clients is doubled until ``throughput`` of it does not grow.
    """
    best, clients = await throughput(1), 2
    while clients <= MAX_CLIENTS:
        reached = await throughput(clients)
        if reached < GAIN * best:
            return max(best, reached)
        best, clients = reached, 2 * clients
    return best


async def sweep(
    measure: Callable[[float], Awaitable[Point | None]], capacity: float, limit: float | None
) -> None:
    """Measure rates up to saturation, then three between the knee and the rate above.

    Below ``capacity``, the result of :func:`capacity`, a single stage that saturates may have been
    disturbed: the next rate is measured, too. Any rate that fails although the next higher one
    passes is repeated, until two of three measurements agree. ``measure`` returns ``None`` to end
    the search.
    """
    points: list[Point] = []
    rates = [fraction * capacity for fraction in FRACTIONS]
    overloaded = 0
    for rate in [r for r in rates if seconds_for(r) <= PATIENCE_S] or rates[-6:]:
        point = await measure(rate)
        if point is None:
            return
        points.append(point)
        overloaded = overloaded + 1 if point.saturated or point.failed > knee.FAILED else 0
        if overloaded and (rate >= capacity or overloaded == ENOUGH):
            break
    while (doubtful := doubtful_rate(points, find_knee(points, limit).limit)) is not None:
        point = await measure(doubtful)
        if point is None:
            return
        points.append(point)
    for _ in range(HALVINGS):
        rate_at_knee = find_knee(points, limit).rate
        above = [p.offered for p in points if rate_at_knee is not None and p.offered > rate_at_knee]
        if rate_at_knee is None or not above:
            return
        point = await measure((rate_at_knee + min(above)) / 2)
        if point is None:
            return
        points.append(point)
