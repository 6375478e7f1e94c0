"""Record what happens at an endpoint: counters with CloudWatch's names, events, a time series.

Names and units: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
(invocation metrics) and https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoint-cloudwatch-metrics.html.
"""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from slipway.endpoint.failure import Failure
from slipway.endpoint.observed.series import Series
from slipway.endpoint.observed.timings import Timings

EVENTS = 200
EVENTS_OF_KIND = 25  # a queue for each kind: many loads do not push out the last restart
LONGEST_TEXT = 4000  # characters of an event: a model's response may have millions
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
    restore, error, stale, leftover or restart."""

    when: float
    kind: str
    target: str
    what: str


@dataclass
class TargetStatistics:
    """The counts of one target model; latencies in seconds, the newest last."""

    invocations: int = 0
    errors: int = 0
    hits: int = 0
    loads: int = 0
    last: float = 0.0
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))


class CaptureMetrics(Collector):
    """What became of sampled answers: read from the writers of captures when it is asked for, so
    that an invocation counts nothing."""

    def __init__(self) -> None:
        self._counts: dict[str, Callable[[], Mapping[str, Mapping[str, int]]]] = {}

    def watch(self, endpoint: str, counts: Callable[[], Mapping[str, Mapping[str, int]]]) -> None:
        """Report what ``counts`` returns of an endpoint, by target and outcome."""
        self._counts[endpoint] = counts

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the metric; nothing if no endpoint captures."""
        if not self._counts:
            return
        family = CounterMetricFamily(
            "Captures",
            "Sampled answers, by whether they were written or why not",
            labels=("EndpointName", "TargetModel", "Outcome"),
        )
        for endpoint, counts in self._counts.items():
            for target, by_outcome in counts().items():
                for outcome, count in by_outcome.items():
                    family.add_metric((endpoint, target, outcome), count)
        yield family


class Metrics:
    """The counters of every endpoint of this process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.captures = CaptureMetrics()
        self.registry.register(self.captures)
        of_target = ("EndpointName", "TargetModel")

        def counter(name: str, description: str, labels: tuple[str, ...]) -> Counter:
            return Counter(name, description, labels, registry=self.registry)

        def microseconds(name: str, description: str, buckets: tuple[float, ...]) -> Histogram:
            text = f"{description}, microseconds"
            return Histogram(name, text, of_target, registry=self.registry, buckets=buckets)

        self.invocations = counter("Invocations", "Requests for a target model", of_target)
        self.errors_4xx = counter("Invocation4XXErrors", "Of them answered with 4xx", of_target)
        self.errors_5xx = counter("Invocation5XXErrors", "Of them answered with 5xx", of_target)
        self.model_errors = counter(
            "InvocationModelErrors", "Of them that the container failed", of_target
        )
        self.refused = counter(
            "RefusedRequests", "Requests whose target model does not exist", ("EndpointName",)
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


class _TargetMetrics:
    """The metrics of every invocation of one target, looked up once: a lookup costs more than
    counting."""

    def __init__(self, metrics: Metrics, labels: tuple[str, str]) -> None:
        self.invocations = metrics.invocations.labels(*labels)
        self.hits = metrics.hits.labels(*labels)
        self.model_latency = metrics.model_latency.labels(*labels)
        self.overhead_latency = metrics.overhead_latency.labels(*labels)


class Observer:
    """Records what happens at one endpoint."""

    def __init__(self, endpoint: str, metrics: Metrics) -> None:
        self.began = time.time()
        self.events: deque[Event] = deque(maxlen=EVENTS)
        self.counts: Tally[str] = Tally()
        self.statistics: dict[str, TargetStatistics] = {}
        self.series = Series()
        self.timings = Timings()
        self._name = endpoint
        self._metrics = metrics
        self._target_metrics: dict[str, _TargetMetrics] = {}
        self._of_kind: dict[str, deque[Event]] = {}

    def answered(
        self,
        target: str,
        *,
        hit: bool,
        wait_s: float,
        model_s: float,
        total_s: float,
        failure: Failure | None,
    ) -> None:
        """Record an invocation: seconds of waiting for a load, in the container, and in total."""
        metrics, labels = self._metrics, (self._name, target)
        statistics = self.statistics.get(target)
        if statistics is None:
            statistics = self.statistics[target] = TargetStatistics()
        counters = self._target_metrics.get(target)
        if counters is None:
            counters = self._target_metrics[target] = _TargetMetrics(metrics, labels)
        statistics.invocations += 1
        statistics.last = time.time()
        counters.invocations.inc()
        if hit:
            statistics.hits += 1
            counters.hits.inc()
            if failure is None:
                self.timings.serve.append(model_s)
        else:
            metrics.waiting.labels(*labels).observe(wait_s * MICROSECONDS)
            if failure is None:
                self.timings.first.append(model_s)
        if model_s:
            counters.model_latency.observe(model_s * MICROSECONDS)
        counters.overhead_latency.observe((total_s - model_s) * MICROSECONDS)
        self.series.add(total_s, failed=failure is not None, cold=not hit)
        if failure is None:
            statistics.latencies.append(total_s)
            return
        statistics.errors += 1
        if failure.status >= 500:
            metrics.errors_5xx.labels(*labels).inc()
        else:
            metrics.errors_4xx.labels(*labels).inc()
        if failure.type == "ModelError":
            metrics.model_errors.labels(*labels).inc()
        self.event("error", target, f"{failure.status} {failure.type}: {failure.message}")

    def refused(self, target: str, failure: Failure) -> None:
        """Record a request that was rejected before any model was invoked."""
        self._metrics.refused.labels(self._name).inc()
        self.event("error", target, f"{failure.status} {failure.type}: {failure.message}")

    def downloaded(self, target: str, seconds: float, size: int) -> None:
        """Record that an artifact was downloaded and extracted; ``size`` in bytes on the disk."""
        self._metrics.downloading.labels(self._name, target).observe(seconds * MICROSECONDS)
        self.timings.download.append(seconds)
        self.event("download", target, f"{size:,} bytes extracted in {seconds:.2f} s")

    def loaded(self, target: str, seconds: float) -> None:
        """Record that the container has loaded a model."""
        self.statistics.setdefault(target, TargetStatistics()).loads += 1
        self._metrics.loading.labels(self._name, target).observe(seconds * MICROSECONDS)
        self.event("load", target, f"loaded in {seconds:.2f} s")

    def unloaded(self, target: str, seconds: float) -> None:
        """Record that the container has unloaded a model."""
        self._metrics.unloading.labels(self._name, target).observe(seconds * MICROSECONDS)
        self.event("unload", target, f"unloaded in {seconds:.2f} s")

    def failed(self, target: str, failure: Failure) -> None:
        """Record a failed load."""
        self.event("failed load", target, failure.message)

    def evicted(self, target: str, why: str) -> None:
        """Record that a model is unloaded to make room."""
        self.event("evict", target, why)

    def restored(self, target: str, other: str) -> None:
        """Record that a model is reloaded: the one it was evicted for failed to load."""
        self.event("restore", target, f"{other!r}, for which it was evicted, failed to load")

    def left_over(self, target: str, processes: int, size: int) -> None:
        """Record that a model's processes stayed when it was unloaded, or failed to load."""
        self.event(
            "leftover",
            target,
            f"{processes} of its processes stayed, with {size:,} bytes of memory: the server is"
            " replaced when it is idle",
        )

    def restarted(self, reason: str) -> None:
        """Record that the server was replaced."""
        self.event("restart", "", reason)

    def stale(self, target: str) -> None:
        """Record that an object was overwritten, which the instance does not serve."""
        self.event("stale", target, "its object was overwritten; the previous one is still served")

    def count(self, models: int) -> None:
        """Record how many models are loaded."""
        self._metrics.loaded.labels(self._name).set(models)

    def measured(self, memory: int, disk: int) -> None:
        """Record the bytes in use."""
        self._metrics.memory.labels(self._name).set(memory)
        self._metrics.disk.labels(self._name).set(disk)

    def event(self, kind: str, target: str, what: str) -> None:
        """Record an event for the page."""
        self.counts[kind] += 1
        self._metrics.events.labels(self._name, kind).inc()
        text = what if len(what) <= LONGEST_TEXT else f"{what[:LONGEST_TEXT]} …"
        event = Event(time.time(), kind, target, text)
        self.events.append(event)
        self._of_kind.setdefault(kind, deque(maxlen=EVENTS_OF_KIND)).append(event)

    def latest(self) -> list[Event]:
        """Return the last events of each kind, the newest first."""
        latest = [event for events in self._of_kind.values() for event in events]
        return sorted(latest, key=lambda event: event.when, reverse=True)
