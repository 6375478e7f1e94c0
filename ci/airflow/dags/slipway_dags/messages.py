"""What people are told of a run. Needs no Airflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

SUBJECT_LIMIT = 100  # of SNS, in characters
REASON_LIMIT = 1500


def compared(comparison: Mapping[str, Any], link: str) -> dict[str, str]:
    """Return subject and text for a training that was measured: its metrics, and production's."""
    model, verdict, release = (comparison[key] for key in ("model", "verdict", "release"))
    what = {
        "better": "better than production",
        "equal": "as good as production",
        "worse": "worse than production, not proposed",
        "none": "trained, with nothing to compare with",
    }[verdict]
    lines = [f"Training {comparison.get('run') or ''}: {comparison['why']}.", ""]
    served = f"production {release}" if release else "production"
    for metric in comparison["metrics"]:
        lines.append(
            f"{metric['name']}: {_number(metric['candidate'])} "
            f"({served}: {_number(metric['served'])})"
            + (f" - {metric['said']}" if metric.get("said") else "")
        )
    lines += [f"Left out: {note}" for note in comparison.get("notes") or ()]
    lines += ["", f"Run: {link}"]
    return {"subject": subject(f"{model}: {what}"), "text": "\n".join(lines), "verdict": verdict}


def failed(model: str, run: str, step: str, reason: str, places: list[str]) -> dict[str, str]:
    """Return subject and text for a run that failed, with the places of its log."""
    lines = [f"Training {run} failed at {step}: {reason[:REASON_LIMIT]}", ""]
    lines += [*places, "", "Nothing was proposed, and production is unchanged."]
    return {
        "subject": subject(f"{model}: training failed at {step}"),
        "text": "\n".join(lines),
        "verdict": "failed",
    }


def job_log(kind: str, name: str, region: str) -> str:
    """Return where CloudWatch has the log of a job, as an address of AWS's console."""
    group = f"/aws/sagemaker/{kind}Jobs"
    # the console escapes its fragment twice, with $ in place of %
    escaped = quote(quote(group, safe=""), safe="").replace("%", "$")
    return (
        f"Log: {group}, streams {name}/…: https://{region}.console.aws.amazon.com/cloudwatch/home"
        f"?region={region}#logsV2:log-groups/log-group/{escaped}$3FlogStreamNameFilter$3D{name}$252F"
    )


def subject(text: str) -> str:
    """Return ``text`` as SNS takes a subject: one line of ASCII, at most 100 characters."""
    line = " ".join(text.split()).encode("ascii", "replace").decode()
    return f"Slipway: {line}"[:SUBJECT_LIMIT]


def _number(value: Any) -> str:
    return "not measured" if value is None else f"{value:g}"
