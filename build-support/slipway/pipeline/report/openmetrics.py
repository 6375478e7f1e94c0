"""A report's figures in OpenMetrics, for the metrics report of GitLab's merge requests.

https://docs.gitlab.com/ci/testing/metrics_reports/: GitLab shows how each figure changed since the
target branch.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.exposition import generate_latest

from slipway.pipeline.report.build import ModelReport, Report


class _Figures:
    """The report as a collector of prometheus-client."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield a family of gauges for each kind of figure."""
        families: dict[str, GaugeMetricFamily] = {}
        for model in self._report.models:
            for name, unit, labels, value in _figures(model):
                family = families.setdefault(
                    name,
                    GaugeMetricFamily(
                        f"slipway_{name}",
                        name.replace("_", " "),
                        labels=["model", *labels],
                        unit=unit,
                    ),
                )
                family.add_metric([model.name, *labels.values()], value)
        yield from families.values()


def render_openmetrics(report: Report) -> str:
    """Return the figures of the models that the branch changes, as text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(report))
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text.decode()


def _figures(model: ModelReport) -> Iterator[tuple[str, str, dict[str, str], float]]:
    """Yield each figure's name, unit, further labels and value."""
    if model.size is not None:
        yield "artifact_size", "bytes", {}, model.size.artifact
        yield "unpacked_size", "bytes", {}, model.size.unpacked
        yield "environment_size", "bytes", {}, model.size.environment
    if model.measured is not None:
        yield "load_time", "seconds", {}, model.measured.loads.medians[0]
        latency = model.measured.latency
        for level in ("p50", "p99"):
            value = getattr(latency.candidate, level) if latency else None
            if value is not None:
                yield "latency", "seconds", {"level": level}, value
    for metric in model.metrics:
        if metric.candidate is not None:
            yield "metric", "", {"name": metric.name}, metric.candidate
    if model.tested is not None:
        yield "tests", "", {}, model.tested.tests
        yield "tests_failed", "", {}, model.tested.failures
    if model.findings is not None:
        yield "check_findings", "", {}, model.findings.errors + model.findings.warnings
