"""What identifies a run, and where its files are."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

RUN_ID = re.compile(r".+-\d{8}T\d{6}Z-[0-9a-f]{6}")  # slipway.training.run

LONGEST_NAME = 63 - len("-evaluate") - len("-99")  # SageMaker's names have at most 63


def training_run(model: str, dag_run: Any) -> str:
    """Return the training run's id, ``<model>-<yyyymmddThhmmssZ>-<6 hex>``.

    A run that ``slipway train`` started is named so already. Any other gets its id from its name in
    Airflow, so that whatever is repeated of the run finds what it has made before.
    """
    if RUN_ID.fullmatch(dag_run.run_id):
        return str(dag_run.run_id)
    time = dag_run.run_after or dag_run.logical_date
    token = hashlib.sha256(dag_run.run_id.encode()).hexdigest()[:6]
    return f"{model}-{time:%Y%m%dT%H%M%SZ}-{token}"


def job_name(prefix: str, model: str, dag_run: Any) -> str:
    """Return what the names of the run's jobs begin with: letters, digits and hyphens, short enough
    for the longest step and a number behind it. ``prefix`` is the one that the roles ask for."""
    run = training_run(model, dag_run)
    name = re.sub(r"[^a-zA-Z0-9]+", "-", f"{prefix}-{run}").strip("-")
    if len(name) > LONGEST_NAME:
        head, time, token = name.rsplit("-", 2)
        end = f"-{hashlib.sha256(head.encode()).hexdigest()[:6]}-{time}-{token}"
        name = head[: LONGEST_NAME - len(end)].rstrip("-") + end
    return name


def read_json(storage: Any, address: str) -> dict[str, Any] | None:
    """Return the object of a JSON file in S3; ``None`` where there is no such file."""
    bucket, key = split_address(address)
    if not storage.check_for_key(key, bucket):
        return None
    found: dict[str, Any] = json.loads(storage.read_key(key, bucket))
    return found


def split_address(address: str) -> tuple[str, str]:
    """Return the bucket and the key of an ``s3://`` address."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key


def hyperparameters(params: Mapping[str, Any]) -> dict[str, str]:
    """Return the run's own parameters as SageMaker's hyperparameters, which are text."""
    changed = params.get("parameters") or {}
    values = {f"set.{name}": _text(value) for name, value in sorted(changed.items())}
    if params.get("force"):
        values["force"] = "true"
    return values


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
