"""From a load test's report to the parameters of scaling."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError

# how long SageMaker takes until a new instance is in service; a guess to begin with, measured in
# CloudWatch or by the events of Application Auto Scaling
START_S = 240
SCALE_IN_AT_LEAST_S = 900
LONGEST_S = 3600


def parameters(report: Path) -> dict[str, str]:
    """What follows from the JSON of ``slipway loadtest --p99 … --json``:

    - the target: that of the report (MAX_RPS × safety × 60);
    - the cooldown after adding: until a new instance carries its share. It starts, and its models
      load one after the other in the worst case: START_S + the sum of the first loads that were cold;
    - the cooldown after removing: three times that, and a quarter of an hour at least, because
      the models of a removed instance are loaded again elsewhere;
    - the alarm of latency: the p99 that was asked for, in microseconds;
    - instance type, least instances and twice as many at most, where the report has a fleet.

    Raises:
        SlipwayError: the file is none, or has no target.
    """
    said = _read(report)
    target = said.get("target")
    if not isinstance(target, dict):
        raise SlipwayError(
            "the load test recommends no target",
            where=str(report),
            fix="run it with --p99, and --rates that the endpoint holds",
        )
    try:
        loads = [each for each in said["results"]["first_loads"] if each["seconds"] is not None]
        cold = sum(each["seconds"] for each in loads if each["cold"] is not False)
        out = min(LONGEST_S, _minutes(START_S + cold))
        found = {
            "InvocationsPerInstance": str(int(target["invocations_per_instance"])),
            "ScaleOutCooldown": str(out),
            "ScaleInCooldown": str(min(LONGEST_S, max(SCALE_IN_AT_LEAST_S, 3 * out))),
            "LatencyP99Microseconds": str(round(said["knee"]["limit"] * 1e6)),
        }
        fleet = said.get("fleet")
        if fleet:
            found["InstanceType"] = fleet["instance"]
            found["MinInstances"] = str(fleet["instances"])
            found["MaxInstances"] = str(2 * fleet["instances"])
    except (KeyError, TypeError, ValueError) as error:
        raise SlipwayError(
            f"no report of a load test: {error!r}",
            where=str(report),
            fix="write one: slipway loadtest NAME --p99 200ms --json > loadtest.json",
        ) from error
    return found


def as_toml(changed: Mapping[str, str]) -> list[str]:
    """The lines that keep them, below ``[parameters]``."""
    return [
        f"{key} = {value}" if value.isdecimal() else f'{key} = "{value}"'
        for key, value in changed.items()
    ]


def _minutes(seconds: float) -> int:
    """Rounded up: CloudWatch has one datapoint a minute."""
    return 60 * math.ceil(seconds / 60)


def _read(report: Path) -> dict[str, Any]:
    try:
        said = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SlipwayError(
            f"cannot be read: {error}",
            where=str(report),
            fix="write one: slipway loadtest NAME --p99 200ms --json > loadtest.json",
        ) from error
    if not isinstance(said, dict):
        raise SlipwayError("no report of a load test", where=str(report), fix="name its JSON")
    return said
