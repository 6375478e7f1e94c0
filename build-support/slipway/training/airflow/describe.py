"""Describe the DAGs: ``python -m slipway.training.airflow.describe --output FILE [MODEL…]``.

The file has what the DAGs in ``ci/airflow/dags`` are built of: for each model the bodies of its
jobs, as :mod:`slipway.training.sagemaker.request` makes them for ``--on sagemaker``, with templates
of Airflow where a run decides. Equal repositories give equal bytes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from slipway import settings as repository
from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.model.training_settings import TrainingSettings, load_training_settings
from slipway.settings import Settings
from slipway.training.airflow.code import Code, upload_code
from slipway.training.bucket import PREFIX
from slipway.training.image import require_image
from slipway.training.parameters import stage_parameters
from slipway.training.run import load_run
from slipway.training.sagemaker.job_settings import CODE_CHANNEL, JobSettings
from slipway.training.sagemaker.request import STEPS, processing_job, training_job
from slipway.training.stages import model_stages, open_dvc, training_stages

SCHEMA = 1
RUN, JOB = "{{ training_run(dag_run) }}", "{{ job_name(dag_run) }}"
# where the provider's operator says that the job has put its model
MODEL = (
    "{{ ti.xcom_pull(task_ids='result.train')['Training']['ModelArtifacts']['S3ModelArtifacts'] }}"
)
VALUES = {
    "commit": "{{ params.commit }}",
    "dirty": "{{ params.dirty | lower }}",
    "place": "airflow",
    "reason": "{{ params.reason }}",
}
# for the text of the merge request: slipway.pipeline.retraining.started
START = {
    "SLIPWAY_RUN_URL": "{{ run_page(ti) }}",
    "SLIPWAY_STARTED_BY": "{{ 'a schedule' if dag_run.run_type == 'scheduled' else 'hand' }}",
}
DEPLOY_STEPS = ("promote", "smoke")
DAILY = "@daily"  # how often it is asked whether a model is older than it may be


def describe(
    settings: Settings,
    models: Sequence[str] = (),
    *,
    image: Callable[[str], str] | None = None,
    code: Callable[[str], Code] | None = None,
    options: dict[str, int] | None = None,
) -> dict[str, Any]:
    """Return the description of ``models``, by default of all that have stages which train them.

    ``image`` and ``code`` return a model's image and its code's address: by default those that the
    registry and the bucket have, to which the code is uploaded. ``options`` replaces the DAGs'
    ``poll_seconds``, ``retries`` and ``retry_seconds``.

    Raises:
        SlipwayError: a setting, an image, or a model's stages are missing.
    """
    places = settings.training
    image = image or (lambda model: require_image(settings.root, model, places))
    code = code or (lambda model: upload_code(settings, model, report=_say))
    with contextlib.chdir(settings.root):
        known = training_stages(settings.root)
    chosen = list(models) or list(known)
    for model in chosen:
        if model not in known:
            raise SlipwayError(
                f"{model} has no stages that train it",
                where=str(settings.root / "dvc.yaml"),
                fix=f"name one of: {', '.join(known) or 'no model has'}",
            )
    found: dict[str, Any] = {"schema": SCHEMA, "models": {}, **(options or {})}
    if places.topic:
        found["topic"] = places.topic
    if places.slack:
        found["slack"] = places.slack
    if places.job_prefix:
        found["job_prefix"] = places.job_prefix
    if places.region:
        found["region"] = places.region
    for model in chosen:
        found["models"][model] = describe_model(settings, model, image(model), code(model))
    found["deploy"] = describe_deploy(settings, found["models"])
    return found


def describe_deploy(settings: Settings, models: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the DAG ``deploy`` is built of: processing jobs that promote a release, and send
    it the golden cases."""
    values = {"target": "{{ params.target }}", "reason": "{{ params.reason }}"}
    job = JobSettings(
        RUN,
        "{{ params.model }}",
        "{{ codes[params.model] }}",
        "{{ images[params.model] }}",
        settings.training,
        TrainingSettings(),
        values,
        job=JOB,
    )
    found: dict[str, Any] = {
        "images": {
            name: model["train"]["AlgorithmSpecification"]["TrainingImage"]
            for name, model in models.items()
        },
        "codes": {name: model["code"] for name, model in models.items()},
    }
    for step in DEPLOY_STEPS:
        body = processing_job("evaluate", job)
        body["ProcessingJobName"] = job.job_name(step)
        body["AppSpecification"]["ContainerArguments"][0] = step
        body["ProcessingInputs"] = [
            source for source in body["ProcessingInputs"] if source["InputName"] == CODE_CHANNEL
        ]
        del body["ProcessingOutputConfig"]
        found[step] = body
    return found


def describe_model(settings: Settings, model: str, image: str, code: Code) -> dict[str, Any]:
    """Return what the DAG of one model is built of."""
    folder = settings.root / "models" / model
    chosen = load_training_settings(folder)
    # DVC names stages as they are seen from the working directory
    with contextlib.chdir(settings.root), open_dvc(settings.root) as repo:
        stages = model_stages(repo, model)
        names = {*stages.train, *stages.evaluate}
        own = [stage for stage in repo.index.stages if stage.addressing in names]
        parameters = {name: value for name, (_, value) in sorted(stage_parameters(own).items())}
    values = {**VALUES, "image": image.rpartition("@")[2]}
    job = JobSettings(
        RUN, model, "{{ params.code }}", image, settings.training, chosen, values, job=JOB
    )
    bodies = {"train": training_job(job)} | {
        step: processing_job(step, job, START if step == "propose" else None) for step in STEPS
    }
    for step in STEPS:
        for source in bodies[step]["ProcessingInputs"]:
            if source["InputName"] == "model":
                source["S3Input"]["S3Uri"] = MODEL
    run = load_run(folder)
    return {
        "trained": None if run is None else run.started,
        "doc": document(model, chosen, stages.train, stages.evaluate, parameters),
        "schedule": DAILY if chosen.max_age_hours is not None else None,
        "max_age_hours": chosen.max_age_hours,
        "runs": f"s3://{settings.training.require('bucket')}/{PREFIX}/{model}",
        "code": code.address,
        "commit": code.commit,
        "dirty": code.dirty,
        "parameters": parameters,
        **bodies,
    }


def document(
    model: str,
    chosen: TrainingSettings,
    train: Sequence[str],
    evaluate: Sequence[str],
    parameters: dict[str, Any],
) -> str:
    """Return what Airflow shows beside the DAG, in Markdown."""
    age = chosen.max_age_hours
    rows = [f"| `{name}` | `{value}` |" for name, value in parameters.items()]
    return "\n".join(
        [
            f"## {model}",
            "",
            "Trains it, compares it with production by its `evaluation.toml`, tells people, and "
            "opens a merge request unless it is worse. The merge request is where it is approved.",
            "",
            f"- stages that train: {', '.join(f'`{name}`' for name in train)}",
            f"- stages that measure: {', '.join(f'`{name}`' for name in evaluate) or 'none'}",
            f"- instance: `{chosen.sagemaker.instance}`, at most {chosen.sagemaker.max_hours:g} h"
            + (", spot" if chosen.sagemaker.spot else ""),
            f"- at most {age / 24:g} days old, asked daily" if age else "- no schedule",
            "",
            "Nothing to do: the same code, data and parameters were trained last. "
            "`force` trains all the same.",
            "",
            *(["| parameter | value |", "|---|---|", *rows] if rows else []),
        ]
    )


def dump(description: dict[str, Any]) -> str:
    """Return the description as JSON text."""
    return json.dumps(description, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def describe_offline(settings: Settings, models: Sequence[str] = ()) -> dict[str, Any]:
    """Return the description with names that stand for what only AWS knows, for a check."""
    account = "111122223333"
    places = replace(
        settings.training,
        bucket=settings.training.bucket or "offline",
        role=settings.training.role or f"arn:aws:iam::{account}:role/offline",
        topic=settings.training.topic or f"arn:aws:sns:us-east-1:{account}:offline",
        slack=settings.training.slack or "slack",
    )
    nothing = "0" * 64
    image = f"{account}.dkr.ecr.us-east-1.amazonaws.com/offline@sha256:{nothing}"
    code = Code(f"s3://{places.bucket}/{PREFIX}/code/{nothing}.tar.gz", "0" * 40, False)
    return describe(
        replace(settings, training=places), models, image=lambda _: image, code=lambda _: code
    )


def main(arguments: Sequence[str]) -> None:
    """Write the description."""
    parser = argparse.ArgumentParser(prog="python -m slipway.training.airflow.describe")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--offline", action="store_true", help="ask nothing in AWS, upload nothing")
    parser.add_argument("models", nargs="*", metavar="MODEL")
    options = parser.parse_args(arguments)
    chosen = repository.load(Path.cwd())
    make = describe_offline if options.offline else describe
    text = dump(make(chosen, options.models))
    with atomic_write(options.output) as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SlipwayError as problem:
        sys.exit(f"error: {problem}")
