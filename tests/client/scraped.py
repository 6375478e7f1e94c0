"""What a client has counted, read as Prometheus reads it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from slipway.client import Endpoint


def counted(endpoint: Endpoint, sample: str, **labels: str) -> float:
    """The sum of a metric's samples with these labels."""
    return sum(
        each.value
        for family in text_string_to_metric_families(endpoint.metrics())
        for each in family.samples
        if each.name == sample and labels.items() <= each.labels.items()
    )
