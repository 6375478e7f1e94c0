"""After a failure: stop what still runs, remove what the run left, and say where its log is."""

from __future__ import annotations

import json
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.hooks.sagemaker import SageMakerHook
from botocore.exceptions import ClientError

from slipway_dags import messages
from slipway_dags.jobs import ENDED_BADLY, RUNNING, job_description
from slipway_dags.runs import split_address

MARK = "failed.json"


def clean(
    model: str,
    run: str,
    runs: str,
    jobs: dict[str, tuple[str, str]],
    link: str,
    why: str | None = None,
    keep: bool = False,
) -> dict[str, str]:
    """Return what to tell of a failed run, after stopping and removing what it left.

    ``jobs`` are kind and name by step. ``keep`` leaves the results where the training itself
    succeeded: its proposal may be repeated. The mark stays, and names step, reason and log.
    """
    hook = SageMakerHook(aws_conn_id=None)
    region = hook.conn_region_name or "us-east-1"
    step, reason, places = "a task of Airflow", why or "see the task's log", []
    for name, (kind, first) in jobs.items():
        job, found = _latest(hook, kind, first)
        if found is None:
            continue
        status = found[f"{kind}JobStatus"]
        if status in RUNNING:
            _stop(hook, kind, job)
            step, reason = name, why or f"job {job} was stopped"
        elif status in ENDED_BADLY:
            step, reason = name, why_of(found) or f"job {job} is {status}"
        else:
            continue
        places = [messages.job_log(kind, job, region)]
    told = messages.failed(model, run, step, reason, [*places, f"Run: {link}"])
    _mark(runs, run, {"step": step, "reason": reason, "log": places, "run": link}, keep)
    return told


def why_of(job: dict[str, Any]) -> str:
    """Return why a job failed: what its container wrote, else what SageMaker says."""
    return str(job.get("ExitMessage") or job.get("FailureReason") or "")


def _latest(hook: Any, kind: str, first: str) -> tuple[str, dict[str, Any] | None]:
    """Return the last of a step's jobs: those that a person had started again have a number."""
    name, found = first, job_description(hook, kind, first)
    for number in range(2, 100):
        following = f"{first[:59]}-{number}"
        description = job_description(hook, kind, following)
        if description is None:
            break
        name, found = following, description
    return name, found


def _stop(hook: Any, kind: str, name: str) -> None:
    client = hook.get_conn()
    try:
        if kind == "Training":
            client.stop_training_job(TrainingJobName=name)
        else:
            client.stop_processing_job(ProcessingJobName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":  # it has ended meanwhile
            raise


def _mark(runs: str, run: str, values: dict[str, Any], keep: bool) -> None:
    storage = S3Hook(aws_conn_id=None)
    bucket, prefix = split_address(f"{runs}/{run}/")
    if not keep:
        keys = storage.list_keys(bucket, prefix=prefix) or []
        storage.delete_objects(bucket, [key for key in keys if not key.endswith(f"/{MARK}")])
    storage.load_string(json.dumps(values, indent=1), prefix + MARK, bucket, replace=True)
