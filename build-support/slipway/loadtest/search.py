"""Search for the knee: rates upwards to saturation, then between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from slipway.loadtest import knee
from slipway.loadtest.knee import Point
from slipway.loadtest.latencies import answers_needed

# of the throughput that waiting clients reached
FRACTIONS = (0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0)
HALVINGS = 3
# twice the clients, but hardly more answers: that is what the server can do
GAIN = 1.05
MOST_CLIENTS = 64
SECONDS = 10.0
# a low rate is worth no more than this; at one that needs longer for a p99 the test begins higher
PATIENCE_S = 60.0


def seconds_for(rate: float) -> float:
    """How long a stage lasts: 10 s, or as long as a p99 needs answers."""
    # a tenth settles, and the number of arrivals varies
    return max(SECONDS, 1.3 * answers_needed(0.99) / rate)


async def capacity(throughput: Callable[[int], Awaitable[float]]) -> float:
    """What closed loops reach (1/s): ``throughput`` of a number of clients, which is doubled
    until that brings no more."""
    best, clients = await throughput(1), 2
    while clients <= MOST_CLIENTS:
        reached = await throughput(clients)
        if reached < GAIN * best:
            return max(best, reached)
        best, clients = reached, 2 * clients
    return best


async def sweep(
    measure: Callable[[float], Awaitable[Point | None]], most: float, limit: float | None
) -> None:
    """Measure rates up to the first that saturates, then three between the knee and the rate above.

    ``most`` is what :func:`capacity` found. ``measure`` gives ``None`` to end the search.
    """
    points: list[Point] = []
    rates = [fraction * most for fraction in FRACTIONS]
    for rate in [r for r in rates if seconds_for(r) <= PATIENCE_S] or rates[-6:]:
        point = await measure(rate)
        if point is None:
            return
        points.append(point)
        if point.saturated or point.failed > knee.FAILED:
            break
    for _ in range(HALVINGS):
        found = knee.find(points, limit).rate
        above = [p.offered for p in points if found is not None and p.offered > found]
        if found is None or not above:
            return
        point = await measure((found + min(above)) / 2)
        if point is None:
            return
        points.append(point)
