"""What a client counts, in Prometheus's terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily

from slipway.client.counters import CaptureCounts

# s; from a warm model's answer on this machine to a load that takes its minute
BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120)


class PrometheusCounters:
    """Counters of one client in one registry: :class:`~slipway.client.counters.Counters`.

    - ``slipway_client_invocations_total{model, variant, role, outcome}``: ``variant`` is the target
      model, ``role`` is ``answer`` or ``shadow``, ``outcome`` is ``ok``, ``refused`` by this client
      before anything was sent, SageMaker's code such as ``ModelError``, or ``failed`` otherwise;
    - ``slipway_client_latency_seconds{model, variant, role}``: of those that were sent, what the
      caller waited, retries included;
    - ``slipway_client_retries_total{model, variant, reason}``;
    - ``slipway_client_shadow_comparisons_total{model, variant, outcome}``: ``variant`` is the
      shadow, ``outcome`` is ``agreed``, ``differed``, ``failed`` (there was no response) or
      ``dropped`` (too many were waiting, and it was not invoked);
    - ``slipway_client_captures_total{variant, outcome}``: of a client that captures; ``outcome`` is
      ``written``, ``unsampled``, or ``dropped.`` with the reason.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._invocations = Counter(
            "slipway_client_invocations",
            "Invocations by outcome",
            ["model", "variant", "role", "outcome"],
            registry=self.registry,
        )
        self._latency = Histogram(
            "slipway_client_latency_seconds",
            "Time to the answer or error, retries included",
            ["model", "variant", "role"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._retries = Counter(
            "slipway_client_retries",
            "Failed attempts that were repeated",
            ["model", "variant", "reason"],
            registry=self.registry,
        )
        self._comparisons = Counter(
            "slipway_client_shadow_comparisons",
            "Answers of shadows, compared with those that were returned",
            ["model", "variant", "outcome"],
            registry=self.registry,
        )

    def count_invocation(self, model: str, variant: str, role: str, outcome: str) -> None:
        """See :class:`~slipway.client.counters.Counters`."""
        self._invocations.labels(model, variant, role, outcome).inc()

    def observe_latency(self, model: str, variant: str, role: str, seconds: float) -> None:
        """See :class:`~slipway.client.counters.Counters`."""
        self._latency.labels(model, variant, role).observe(seconds)

    def count_retry(self, model: str, variant: str, reason: str) -> None:
        """See :class:`~slipway.client.counters.Counters`."""
        self._retries.labels(model, variant, reason).inc()

    def count_comparison(self, model: str, variant: str, outcome: str) -> None:
        """See :class:`~slipway.client.counters.Counters`."""
        self._comparisons.labels(model, variant, outcome).inc()

    def watch_captures(self, counts: CaptureCounts) -> None:
        """See :class:`~slipway.client.counters.Counters`."""
        self.registry.register(_Captures(counts))

    def text(self) -> str:
        """See :class:`~slipway.client.counters.Counters`."""
        return generate_latest(self.registry).decode()


class _Captures:
    """Collects what became of captures, only when it is asked for."""

    def __init__(self, counts: CaptureCounts) -> None:
        self._counts = counts

    def describe(self) -> Iterable[CounterMetricFamily]:
        """Return nothing: several clients may share a registry."""
        return ()

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the metric."""
        family = CounterMetricFamily(
            "slipway_client_captures",
            "Captures of answers by outcome",
            labels=["variant", "outcome"],
        )
        for variant, outcomes in self._counts().items():
            for outcome, count in outcomes.items():
                family.add_metric([variant, outcome], count)
        yield family
