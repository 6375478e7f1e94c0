"""What happens at an endpoint: counters under CloudWatch's names, recent events, a time series.

Names and units: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
(invocation metrics) and https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoint-cloudwatch-metrics.html.
"""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from slipway.endpoint.failure import Failure
from slipway.endpoint.series import Series

EVENTS = 200
EVENTS_OF_KIND = 25  # each kind has its own: loads do not push out the last restart
LONGEST_TEXT = 4000  # characters of an event's text: a model's answer may have millions
SAMPLES = 512
MICROSECONDS = 1e6
# of requests: 0.5 ms to 60 s; of loads: 10 ms to 360 s
REQUEST_BUCKETS = tuple(
    MICROSECONDS * s
    for s in (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 60)
)
LOAD_BUCKETS = tuple(
    MICROSECONDS * s for s in (0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 360)
)


class Event(NamedTuple):
    """``when`` in seconds since 1970; ``kind`` is download, load, failed load, unload, evict,
    restore, error, stale or restart."""

    when: float
    kind: str
    target: str
    what: str


@dataclass
class Seen:
    """What was seen of one target model; latencies in seconds, the newest last."""

    invocations: int = 0
    errors: int = 0
    hits: int = 0
    loads: int = 0
    last: float = 0.0
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))


class Metrics:
    """The counters of every endpoint of this process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        of_target = ("EndpointName", "TargetModel")

        def counter(name: str, said: str, labels: tuple[str, ...]) -> Counter:
            return Counter(name, said, labels, registry=self.registry)

        def microseconds(name: str, said: str, buckets: tuple[float, ...]) -> Histogram:
            text = f"{said}, microseconds"
            return Histogram(name, text, of_target, registry=self.registry, buckets=buckets)

        self.invocations = counter("Invocations", "Requests for a target model", of_target)
        self.errors_4xx = counter("Invocation4XXErrors", "Of them answered with 4xx", of_target)
        self.errors_5xx = counter("Invocation5XXErrors", "Of them answered with 5xx", of_target)
        self.model_errors = counter(
            "InvocationModelErrors", "Of them that the container failed", of_target
        )
        self.refused = counter(
            "RefusedRequests", "Requests that name no target model that exists", ("EndpointName",)
        )
        self.hits = counter("ModelCacheHit", "Requests that found the model loaded", of_target)
        self.model_latency = microseconds(
            "ModelLatency", "From the request to the container to its answer", REQUEST_BUCKETS
        )
        self.overhead_latency = microseconds(
            "OverheadLatency",
            "What the endpoint adds to that, waiting for loads included",
            REQUEST_BUCKETS,
        )
        self.waiting = microseconds(
            "ModelLoadingWaitTime", "An invocation's wait for the model to be loaded", LOAD_BUCKETS
        )
        self.downloading = microseconds(
            "ModelDownloadingTime", "Downloading and extracting", LOAD_BUCKETS
        )
        self.loading = microseconds("ModelLoadingTime", "The container's load call", LOAD_BUCKETS)
        self.unloading = microseconds(
            "ModelUnloadingTime", "The container's unload call", LOAD_BUCKETS
        )
        self.loaded = Gauge(
            "LoadedModelCount", "Models loaded", ("EndpointName",), registry=self.registry
        )
        self.memory = Gauge(
            "MemoryBytes",
            "Of the server and all its models",
            ("EndpointName",),
            registry=self.registry,
        )
        self.disk = Gauge(
            "DiskBytes", "Of extracted artifacts", ("EndpointName",), registry=self.registry
        )
        self.events = counter(
            "EndpointEvents", "Evictions, restarts and the like", ("EndpointName", "Kind")
        )


class _Usual:
    """What every invocation of one target counts in, found once: finding costs more than counting."""

    def __init__(self, metrics: Metrics, labels: tuple[str, str]) -> None:
        self.invocations = metrics.invocations.labels(*labels)
        self.hits = metrics.hits.labels(*labels)
        self.model_latency = metrics.model_latency.labels(*labels)
        self.overhead_latency = metrics.overhead_latency.labels(*labels)


class Observer:
    """Sees what happens at one endpoint."""

    def __init__(self, endpoint: str, metrics: Metrics) -> None:
        self.began = time.time()
        self.events: deque[Event] = deque(maxlen=EVENTS)
        self.counts: Tally[str] = Tally()
        self.seen: dict[str, Seen] = {}
        self.series = Series()
        self._name = endpoint
        self._metrics = metrics
        self._usual: dict[str, _Usual] = {}
        self._of_kind: dict[str, deque[Event]] = {}

    def answered(
        self,
        target: str,
        *,
        hit: bool,
        waited: float,
        asked: float,
        whole: float,
        failure: Failure | None,
    ) -> None:
        """An invocation has ended; seconds waited for a load, asked the container, in all."""
        metrics, labels = self._metrics, (self._name, target)
        seen = self.seen.get(target)
        if seen is None:
            seen = self.seen[target] = Seen()
        usual = self._usual.get(target)
        if usual is None:
            usual = self._usual[target] = _Usual(metrics, labels)
        seen.invocations += 1
        seen.last = time.time()
        usual.invocations.inc()
        if hit:
            seen.hits += 1
            usual.hits.inc()
        else:
            metrics.waiting.labels(*labels).observe(waited * MICROSECONDS)
        if asked:
            usual.model_latency.observe(asked * MICROSECONDS)
        usual.overhead_latency.observe((whole - asked) * MICROSECONDS)
        self.series.add(whole, failed=failure is not None, cold=not hit)
        if failure is None:
            seen.latencies.append(whole)
            return
        seen.errors += 1
        if failure.status >= 500:
            metrics.errors_5xx.labels(*labels).inc()
        else:
            metrics.errors_4xx.labels(*labels).inc()
        if failure.type == "ModelError":
            metrics.model_errors.labels(*labels).inc()
        self.event("error", target, f"{failure.status} {failure.type}: {failure.message}")

    def refused(self, target: str, failure: Failure) -> None:
        """A request that was turned away before any model was asked for."""
        self._metrics.refused.labels(self._name).inc()
        self.event("error", target, f"{failure.status} {failure.type}: {failure.message}")

    def downloaded(self, target: str, seconds: float, size: int) -> None:
        """An artifact was downloaded and extracted; bytes on the disk."""
        self._metrics.downloading.labels(self._name, target).observe(seconds * MICROSECONDS)
        self.event("download", target, f"{size:,} bytes extracted in {seconds:.2f} s")

    def loaded(self, target: str, seconds: float) -> None:
        """The container has loaded a model."""
        self.seen.setdefault(target, Seen()).loads += 1
        self._metrics.loading.labels(self._name, target).observe(seconds * MICROSECONDS)
        self.event("load", target, f"loaded in {seconds:.2f} s")

    def unloaded(self, target: str, seconds: float) -> None:
        """The container has unloaded a model."""
        self._metrics.unloading.labels(self._name, target).observe(seconds * MICROSECONDS)
        self.event("unload", target, f"unloaded in {seconds:.2f} s")

    def failed(self, target: str, failure: Failure) -> None:
        """A load has failed."""
        self.event("failed load", target, failure.message)

    def evicted(self, target: str, why: str) -> None:
        """A model is unloaded for others."""
        self.event("evict", target, why)

    def restored(self, target: str, other: str) -> None:
        """A model is loaded again that was evicted for one that then failed to load."""
        self.event("restore", target, f"{other!r}, for which it went, failed to load")

    def restarted(self, reason: str) -> None:
        """The server was replaced."""
        self.event("restart", "", reason)

    def stale(self, target: str) -> None:
        """An object was overwritten, and the instance goes on serving what it was."""
        self.event("stale", target, "its object was overwritten; what was there before is served")

    def count(self, models: int) -> None:
        """How many models are loaded."""
        self._metrics.loaded.labels(self._name).set(models)

    def measured(self, memory: int, disk: int) -> None:
        """Bytes taken."""
        self._metrics.memory.labels(self._name).set(memory)
        self._metrics.disk.labels(self._name).set(disk)

    def event(self, kind: str, target: str, what: str) -> None:
        """Remember an event for the page."""
        self.counts[kind] += 1
        self._metrics.events.labels(self._name, kind).inc()
        text = what if len(what) <= LONGEST_TEXT else f"{what[:LONGEST_TEXT]} …"
        event = Event(time.time(), kind, target, text)
        self.events.append(event)
        self._of_kind.setdefault(kind, deque(maxlen=EVENTS_OF_KIND)).append(event)

    def latest(self) -> list[Event]:
        """The last events of each kind, the newest first."""
        kept = [event for events in self._of_kind.values() for event in events]
        return sorted(kept, key=lambda event: event.when, reverse=True)
