"""What a client counts, in Prometheus's terms."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

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
      ``dropped`` (too many were waiting, and it was not invoked).
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

    def text(self) -> str:
        """See :class:`~slipway.client.counters.Counters`."""
        return generate_latest(self.registry).decode()
