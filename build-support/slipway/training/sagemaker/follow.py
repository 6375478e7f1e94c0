"""Follow a job until it ends, and say how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from slipway.errors import SlipwayError
from slipway.training.sagemaker.client import JobsClient, Kind

ENDED = ("Completed", "Failed", "Stopped")
FIRST_WAIT_S, LONGEST_WAIT_S, GROWTH = 0.5, 15.0, 1.5


def follow_job(
    client: JobsClient, kind: Kind, name: str, report: Callable[[str], object]
) -> dict[str, Any]:
    """Return the description of a job that completed; report each change of its status.

    Raises:
        SlipwayError: it failed or was stopped; quotes why, and the end of its log.
    """
    wait, known = FIRST_WAIT_S, 0
    while True:
        description = client.describe(kind, name)
        transitions = description.get("SecondaryStatusTransitions", [])
        for transition in transitions[known:]:
            message = transition.get("StatusMessage") or ""
            report(f"  {transition['Status']}" + (f": {message}" if message else ""))
        known = len(transitions)
        if description[f"{kind}JobStatus"] in ENDED:
            break
        time.sleep(wait)
        wait = min(LONGEST_WAIT_S, wait * GROWTH)
    if description[f"{kind}JobStatus"] == "Completed":
        return description
    raise _failure(client, kind, name, description)


def metrics_of(description: Mapping[str, Any]) -> dict[str, float]:
    """Return the last value of each metric that CloudWatch was sent."""
    return {
        metric["MetricName"]: float(metric["Value"])
        for metric in description.get("FinalMetricDataList", [])
    }


def _failure(
    client: JobsClient, kind: Kind, name: str, description: Mapping[str, Any]
) -> SlipwayError:
    status = str(description[f"{kind}JobStatus"])
    reason = str(description.get("FailureReason") or description.get("ExitMessage") or "").strip()
    if kind == "Processing" and description.get("ExitMessage"):
        reason = str(description["ExitMessage"]).strip()
    secondary = description.get("SecondaryStatus", status)
    what = f"the job {name} {'failed' if status == 'Failed' else 'was stopped'}"
    if reason:
        what += f": {reason}"
    elif secondary not in (status, "Stopped", "Failed"):
        what += f": {secondary}"
    lines = client.log_tail(kind, name)
    if lines:
        what += "\n  the end of its log:\n  " + "\n  ".join(lines)
    return SlipwayError(what, where=client.log_link(kind, name), fix=_fix(secondary, reason))


def _fix(secondary: str, reason: str) -> str:
    if secondary == "MaxRuntimeExceeded":
        return "raise max_hours in training.toml's [sagemaker]"
    if secondary == "MaxWaitTimeExceeded":
        return "AWS had no spare instance: try again later, or spot = false in training.toml"
    if secondary == "Stopped":
        return "start it again: what its stages had finished is pulled, not repeated"
    if reason.startswith("CapacityError"):
        return "AWS has no such instance free: try again later, or another [sagemaker] instance"
    if reason.startswith("InternalServerError"):
        return "SageMaker's own error: start it again"
    if reason.startswith("ClientError"):
        return "correct what the message names: the channels, the role, or the image"
    return "correct what its log says; slipway train NAME --on local runs the same stages here"
