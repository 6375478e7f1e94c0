"""Ask a served model again and again, and read what each part of it took."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from slipway.breakdown.processes import SERVER, processor_seconds
from slipway.breakdown.statistics import Spent, read_statistics

WARM_UP = 20  # requests
MILLISECONDS = 1000.0


@dataclass(frozen=True)
class Breakdown:
    """Where the time of ``requests`` went, of so many ``clients`` at a time.

    ``latency`` is the mean, in milliseconds, as a client sees it. ``steps`` are the models in
    their order, and ``ensemble`` the one around them. ``processor`` are milliseconds a request of
    each process, by model; the server's own is that of "".
    """

    clients: int
    requests: int
    latency: float
    ensemble: Spent | None
    steps: Mapping[str, Spent]
    processor: Mapping[str, float]

    @property
    def whole(self) -> float:
        """Return milliseconds from the request's arrival in Triton to its answer."""
        if self.ensemble is not None:
            return self.ensemble.each("whole")
        return sum(spent.each("whole") for spent in self.steps.values())

    @property
    def between(self) -> float:
        """Return milliseconds in the ensemble, and in none of its models."""
        return max(0.0, self.whole - sum(spent.each("whole") for spent in self.steps.values()))

    @property
    def outside(self) -> float:
        """Return milliseconds of HTTP, JSON, the port of SageMaker and this client."""
        return max(0.0, self.latency - self.whole)

    @property
    def models(self) -> float:
        """Return milliseconds in which a model computed."""
        return sum(spent.each("compute") for spent in self.steps.values())

    @property
    def waits(self) -> float:
        """Return milliseconds in which the request waited for other requests."""
        return sum(spent.each("queue") for spent in self.steps.values())

    @property
    def server(self) -> float:
        """Return milliseconds in which no model computed, and no other request was waited for."""
        return max(0.0, self.latency - self.models - self.waits)


def measure(
    ask: Callable[[], object],
    *,
    clients: int,
    requests: int,
    port: int,
    supervisor: int,
    served: str,
    steps: Sequence[str],
) -> Breakdown:
    """Call ``ask`` from so many ``clients``, and return what the parts took.

    ``port`` is Triton's HTTP port, ``supervisor`` the process below which the server runs.
    ``served`` is what is asked, ``steps`` are its models if it is an ensemble.

    Raises:
        SlipwayError: Triton gives no statistics; or what ``ask`` raises.
    """
    _ask(ask, clients, WARM_UP)
    names = (served, *steps)
    before, used = read_statistics(port, names), processor_seconds(supervisor, steps)
    latencies = _ask(ask, clients, requests)
    later, after = processor_seconds(supervisor, steps), read_statistics(port, names)
    count = len(latencies)
    added = {name: spent - before.get(name, Spent()) for name, spent in after.items()}
    return Breakdown(
        clients,
        count,
        statistics.fmean(latencies) * MILLISECONDS,
        added[served] if steps else None,
        {step: added[step] for step in steps or (served,)},
        {
            name: (seconds - used.get(name, 0.0)) * MILLISECONDS / count
            for name, seconds in later.items()
            if name == SERVER or name in steps
        },
    )


def _ask(ask: Callable[[], object], clients: int, requests: int) -> list[float]:
    def timed(_: int) -> float:
        start = time.perf_counter()
        ask()
        return time.perf_counter() - start

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(timed, range(requests)))
