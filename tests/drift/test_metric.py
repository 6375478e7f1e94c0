"""The metric of drift, sent to moto's CloudWatch over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from slipway.drift.metric import BATCH, ENDPOINT, MODEL, TENSOR, drift_metrics, send_metrics
from slipway.drift.report import DriftReport, Statistic, TensorDrift
from slipway.drift.verdict import Comparison, DriftCheck, ReleaseDrift
from slipway.errors import SlipwayError
from slipway.settings import EndpointSettings
from tests.drift.traffic import NOW

ENTRY = EndpointSettings("production", region="eu-central-1")


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    try:
        yield boto3.client("cloudwatch", region_name="eu-central-1")
    finally:
        server.stop()


def check(scores: dict[str, dict[str, float]]) -> DriftCheck:
    """A check that found these scores by model and tensor; NaN is a tensor without a verdict."""
    releases = []
    for name, tensors in scores.items():
        found = [
            TensorDrift(tensor, "inputs", "numbers", {"x psi": Statistic("psi", "x", score, 1.0)})
            for tensor, score in tensors.items()
        ]
        report = DriftReport(found, 100, 100, 1000, "rows", None, None, 1e-5)
        comparison = Comparison("profile", report)
        releases.append(ReleaseDrift(name, f"{name}_1.0.0.tar.gz", 100, (comparison,)))
    since = NOW - timedelta(hours=1)
    return DriftCheck("production", "production", since, NOW, "", releases, {})


def test_a_tensor_its_model_and_the_endpoint_have_a_value(cloudwatch: Any) -> None:
    found = check({"face": {"IMAGE": 0.5, "AGE": 4.0}, "prices": {"ROOMS": 0.25}})
    send_metrics(drift_metrics(found, "slipway-production"), ENTRY)
    listed = cloudwatch.list_metrics(Namespace="Slipway", MetricName="Drift")["Metrics"]
    names = {tuple(d["Value"] for d in metric["Dimensions"]) for metric in listed}
    assert names == {
        ("slipway-production",),
        ("slipway-production", "face"),
        ("slipway-production", "prices"),
        ("slipway-production", "face", "IMAGE"),
        ("slipway-production", "face", "AGE"),
        ("slipway-production", "prices", "ROOMS"),
    }

    def largest(*dimensions: tuple[str, str]) -> float:
        points = cloudwatch.get_metric_statistics(
            Namespace="Slipway",
            MetricName="Drift",
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions],
            StartTime=NOW - timedelta(minutes=1),
            EndTime=NOW + timedelta(minutes=1),
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
        [point] = points
        return float(point["Maximum"])

    endpoint = ("EndpointName", "slipway-production")
    assert largest(endpoint) == 4.0
    assert largest(endpoint, ("Model", "prices")) == 0.25
    assert largest(endpoint, ("Model", "face"), ("Tensor", "IMAGE")) == 0.5


def test_fewer_values_cost_less() -> None:
    found = check({"face": {"IMAGE": 0.5, "AGE": 4.0}, "prices": {"ROOMS": 0.25}})
    counts = [len(drift_metrics(found, "e", level)) for level in (ENDPOINT, MODEL, TENSOR)]
    assert counts == [1, 3, 6]


def test_a_thousand_models_are_sent_in_batches_that_cloudwatch_takes(cloudwatch: Any) -> None:
    found = check({f"model_{number}": {"X": 0.5} for number in range(BATCH)})
    metrics = drift_metrics(found, "many")
    assert len(metrics) == 2 * BATCH + 1
    send_metrics(metrics, ENTRY)
    pages = cloudwatch.get_paginator("list_metrics").paginate(
        Namespace="Slipway", Dimensions=[{"Name": "EndpointName", "Value": "many"}]
    )
    assert sum(len(page["Metrics"]) for page in pages) == len(metrics)


def test_names_and_values_that_cloudwatch_refuses_are_made_acceptable(cloudwatch: Any) -> None:
    found = check({"größe\n": {"": 1e300, "x" * 3000: float("inf")}, "nan": {"y": float("nan")}})
    metrics = drift_metrics(found, "e")
    send_metrics(metrics, ENTRY)
    assert {metric.value for metric in metrics} == {1e6}
    values = [value for metric in metrics for value in metric.dimensions.values()]
    assert all(
        value.isascii() and value.isprintable() and 0 < len(value) <= 1024 for value in values
    )


def test_what_was_not_compared_has_no_value_so_that_an_alarm_keeps_its_state() -> None:
    silent = ReleaseDrift("silent", "silent_1.0.0.tar.gz", 0)
    found = DriftCheck("p", "production", NOW, NOW, "", [silent], {})
    assert drift_metrics(found, "e") == []


def test_a_refusal_says_what_the_role_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr("slipway.drift.metric.ATTEMPTS", 1)
    with pytest.raises(SlipwayError) as caught:
        send_metrics(drift_metrics(check({"m": {"X": 1.0}}), "e"), ENTRY)
    assert "cloudwatch:PutMetricData" in str(caught.value.fix)
