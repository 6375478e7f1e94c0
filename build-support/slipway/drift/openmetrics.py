"""A check for drift in OpenMetrics, for a text file that Prometheus' node exporter reads."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.exposition import generate_latest

from slipway.drift.verdict import DriftCheck


class _Figures:
    """The check as a collector of prometheus-client."""

    def __init__(self, check: DriftCheck) -> None:
        self._check = check

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield a family of gauges for each kind of figure."""
        drift = GaugeMetricFamily(
            "slipway_drift",
            "largest statistic of a tensor in its thresholds; above 1 is drift",
            labels=["endpoint", "model", "target", "tensor"],
        )
        requests = GaugeMetricFamily(
            "slipway_drift_requests",
            "captured requests that the check found",
            labels=["endpoint", "model", "target"],
        )
        checked = GaugeMetricFamily(
            "slipway_drift_checked_timestamp",
            "end of the window",
            labels=["endpoint"],
            unit="seconds",
        )
        for release in self._check.releases:
            labels = [self._check.endpoint, release.name, release.target]
            requests.add_metric(labels, release.requests)
            for tensor, score in release.scores.items():
                drift.add_metric([*labels, tensor], score)
        checked.add_metric([self._check.endpoint], self._check.until.timestamp())
        yield from (drift, requests, checked)


def render_openmetrics(check: DriftCheck) -> str:
    """Return the figures of the releases as text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(check))
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text.decode()
