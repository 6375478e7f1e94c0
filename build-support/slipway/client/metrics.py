"""What a client counts, in Prometheus's terms."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

# s; from a warm model's answer on this machine to a load that takes its minute
BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120)


class Metrics:
    """Counters of one client in one registry.

    - ``slipway_client_invocations_total{model, variant, role, outcome}``: ``variant`` is the target
      model, ``role`` is ``answer`` or ``shadow``, ``outcome`` is ``ok``, ``refused`` by this client
      before anything was sent, SageMaker's code such as ``ModelError``, or ``failed`` otherwise;
    - ``slipway_client_latency_seconds{model, variant, role}``: of those that were sent, what the
      caller waited, retries included;
    - ``slipway_client_retries_total{model, variant, reason}``;
    - ``slipway_client_shadow_comparisons_total{model, variant, outcome}``: ``variant`` is the
      shadow, ``outcome`` is ``agreed``, ``differed``, ``failed`` (it gave no answer) or ``dropped``
      (too many were waiting, and it was not asked).
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.invocations = Counter(
            "slipway_client_invocations",
            "Invocations by outcome",
            ["model", "variant", "role", "outcome"],
            registry=self.registry,
        )
        self.latency = Histogram(
            "slipway_client_latency_seconds",
            "Time to the answer or error, retries included",
            ["model", "variant", "role"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.retries = Counter(
            "slipway_client_retries",
            "Attempts that failed and were made again",
            ["model", "variant", "reason"],
            registry=self.registry,
        )
        self.comparisons = Counter(
            "slipway_client_shadow_comparisons",
            "Answers of shadows beside those that were returned",
            ["model", "variant", "outcome"],
            registry=self.registry,
        )

    def text(self) -> str:
        """Everything, in Prometheus's text format."""
        return generate_latest(self.registry).decode()
