"""The metric ``Slipway/Drift`` in CloudWatch.

A value is the largest statistic of a tensor in its thresholds: above 1 is drift. Each value is sent
for the tensor, as the largest of the model, and as the largest of the endpoint: an alarm cannot
search for metrics (CloudWatch User Guide, "Using metric math"), so it watches the last.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any

from slipway.drift.verdict import DriftCheck
from slipway.errors import SlipwayError
from slipway.settings import EndpointSettings

NAMESPACE, METRIC = "Slipway", "Drift"
DIMENSIONS = ("EndpointName", "Model", "Tensor")
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html: 1,000
# values and 1 MB a request; a value of three dimensions has up to 3,500 bytes
BATCH = 250
MAX_DIMENSION = 1024  # characters; ASCII without control characters
LARGEST = 1e6  # thresholds; what lies further away says no more
TIMEOUT_S, ATTEMPTS = 10, 4
ENDPOINT, MODEL, TENSOR = range(3)  # how many dimensions follow EndpointName


@dataclass(frozen=True)
class DriftMetric:
    """One value at a time, with its dimensions by name."""

    dimensions: Mapping[str, str]
    value: float
    when: datetime

    def as_datum(self) -> dict[str, Any]:
        """Return the value as ``PutMetricData`` takes it."""
        return {
            "MetricName": METRIC,
            "Dimensions": [
                {"Name": name, "Value": value} for name, value in self.dimensions.items()
            ],
            "Timestamp": self.when,
            "Value": self.value,
            "Unit": "None",
        }


def drift_metrics(check: DriftCheck, endpoint_name: str, level: int = TENSOR) -> list[DriftMetric]:
    """Return the values of ``check`` for the endpoint, down to ``level``.

    What could not be compared has no value: an alarm keeps its state, and does not become "OK".
    """
    tensors: dict[tuple[str, str], float] = {}
    for release in check.releases:
        for tensor, score in release.scores.items():
            if not math.isnan(score):
                key = release.name, tensor
                tensors[key] = max(tensors.get(key, 0.0), min(score, LARGEST))
    models: dict[str, float] = {}
    for (name, _), score in tensors.items():
        models[name] = max(models.get(name, 0.0), score)
    rows: list[tuple[tuple[str, ...], float]] = []
    if models:
        rows.append(((), max(models.values())))
    if level >= MODEL:
        rows += [((name,), score) for name, score in models.items()]
    if level >= TENSOR:
        rows += [((name, tensor), score) for (name, tensor), score in tensors.items()]
    return [
        DriftMetric(
            {
                name: _text(value)
                for name, value in zip(DIMENSIONS, (endpoint_name, *path), strict=False)
            },
            score,
            check.until,
        )
        for path, score in rows
    ]


def send_metrics(metrics: Sequence[DriftMetric], entry: EndpointSettings) -> None:
    """Send ``metrics`` to CloudWatch, in the region and with the profile of the endpoint.

    Raises:
        SlipwayError: CloudWatch refuses, or cannot be reached.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        session = boto3.session.Session(profile_name=entry.profile, region_name=entry.region)
        client = session.client(
            "cloudwatch",
            config=Config(
                connect_timeout=TIMEOUT_S,
                read_timeout=TIMEOUT_S,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            ),
        )
        for batch in batched(metrics, BATCH):
            client.put_metric_data(
                Namespace=NAMESPACE, MetricData=[metric.as_datum() for metric in batch]
            )
    except (BotoCoreError, ClientError, ValueError) as error:
        raise SlipwayError(
            f"CloudWatch did not accept the metric: {error}",
            where=f"{NAMESPACE}/{METRIC}",
            fix="check the region, and that the role is allowed cloudwatch:PutMetricData",
        ) from error


def _text(value: str) -> str:
    """Return ``value`` as a dimension's: ASCII, without control characters, and not empty."""
    return re.sub(r"[^ -~]", "_", value).strip()[:MAX_DIMENSION] or "_"
