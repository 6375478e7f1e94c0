"""The scaling parameters that follow from a load test's report."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError

# until SageMaker puts a new instance into service; an initial estimate, to be measured in
# CloudWatch or by the events of Application Auto Scaling
START_S = 240
MIN_SCALE_IN_S = 900
MAX_COOLDOWN_S = 3600


def scaling_parameters(report: Path) -> dict[str, str]:
    """Return the parameters that follow from the JSON of ``slipway loadtest --p99 … --json``:

    - the target: that of the report (MAX_RPS × safety × 60);
    - the cooldown after adding: until a new instance carries its share. It starts, and its models
      load sequentially in the worst case: START_S + the sum of the cold first loads;
    - the cooldown after removing: three times that, and at least a quarter of an hour, because
      the models of a removed instance are loaded again elsewhere;
    - the latency alarm: the requested p99, in microseconds;
    - instance type, minimum instances and twice as many as maximum, if the report has a fleet.

    Raises:
        SlipwayError: the file is not a load test's report, or has no target.
    """
    result = _read(report)
    target = result.get("target")
    if not isinstance(target, dict):
        raise SlipwayError(
            "the load test recommends no target",
            where=str(report),
            fix="run it with --p99, and with --rates that the endpoint sustains",
        )
    try:
        loads = [load for load in result["results"]["first_loads"] if load["seconds"] is not None]
        cold = sum(load["seconds"] for load in loads if load["cold"] is not False)
        out = min(MAX_COOLDOWN_S, _minutes(START_S + cold))
        parameters = {
            "InvocationsPerInstance": str(int(target["invocations_per_instance"])),
            "ScaleOutCooldown": str(out),
            "ScaleInCooldown": str(min(MAX_COOLDOWN_S, max(MIN_SCALE_IN_S, 3 * out))),
            "LatencyP99Microseconds": str(round(result["knee"]["limit"] * 1e6)),
        }
        fleet = result.get("fleet")
        if fleet:
            parameters["InstanceType"] = fleet["instance"]
            parameters["MinInstances"] = str(fleet["instances"])
            parameters["MaxInstances"] = str(2 * fleet["instances"])
    except (KeyError, TypeError, ValueError) as error:
        raise SlipwayError(
            f"not a load test's report: {error!r}",
            where=str(report),
            fix="write one: slipway loadtest NAME --p99 200ms --json > loadtest.json",
        ) from error
    return parameters


def as_toml(changed: Mapping[str, str]) -> list[str]:
    """Return the lines to add below ``[parameters]``."""
    return [
        f"{key} = {value}" if value.isdecimal() else f'{key} = "{value}"'
        for key, value in changed.items()
    ]


def _minutes(seconds: float) -> int:
    """Return seconds rounded up to minutes: CloudWatch has one datapoint per minute."""
    return 60 * math.ceil(seconds / 60)


def _read(report: Path) -> dict[str, Any]:
    try:
        document = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SlipwayError(
            f"cannot be read: {error}",
            where=str(report),
            fix="write one: slipway loadtest NAME --p99 200ms --json > loadtest.json",
        ) from error
    if not isinstance(document, dict):
        raise SlipwayError("not a load test's report", where=str(report), fix="name its JSON")
    return document
