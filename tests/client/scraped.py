"""Read the metrics of a client as Prometheus does."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from slipway.client import Endpoint


def metric_value(endpoint: Endpoint, name: str, **labels: str) -> float:
    """Return the sum of the samples of the metric ``name`` with these labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(endpoint.metrics())
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
