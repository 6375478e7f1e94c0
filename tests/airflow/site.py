"""A site where models are trained: AWS, Slack and Airflow, all on loopback."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3

from slipway import settings
from slipway.training.airflow.code import Code
from slipway.training.airflow.describe import describe, dump
from tests.airflow import process, slack
from tests.training import sagemaker_stand_in

BUCKET = "training"
ACCOUNT, REGION = "123456789012", "us-east-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:training"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/training@sha256:{'1' * 64}"
CODE = Code(f"s3://{BUCKET}/training/code/{'2' * 64}.tar.gz", "3" * 40, False)
QUICK = {"poll_seconds": 1, "retries": 1, "retry_seconds": 1}
STEPS = Path(__file__).with_name("steps.py")


@dataclass
class Site:
    """``told`` is the folder that ``steps.py`` reads."""

    folder: Path
    aws: sagemaker_stand_in.StandIn
    slack: slack.Slack
    home: Path
    dags: Path
    told: Path

    def client(self, service: str) -> Any:
        """Return boto3's client of a service."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.aws.url,
            region_name=REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def keys(self, prefix: str) -> list[str]:
        """Return the keys in the bucket below a prefix."""
        found = self.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return sorted(item["Key"] for item in found.get("Contents", ()))

    def published(self) -> list[tuple[str, str]]:
        """Return subject and text of what SNS was given."""
        from moto.sns.models import sns_backends

        sent = sns_backends[ACCOUNT][REGION].topics[TOPIC].sent_notifications
        return [(str(one[2]), json.loads(one[1])["default"]) for one in sent]

    def variables(self) -> dict[str, str]:
        """Return the environment of this site's Airflow."""
        return process.variables(self.home, self.dags, self.aws.url, self.slack.url)


STAGES = """stages:
  {model}_train:
    cmd: python training/train.py
    params: [training/params.yaml: [train]]
    outs: [training/model.ubj]
"""
SCHEDULED = '[schedule]\nmax_age = "90d"\n'


def repository(folder: Path, models: Sequence[str]) -> Path:
    """Return a repository whose models have a stage that trains them, to be described."""
    files = {"slipway.toml": "", ".dvc/config": "[core]\n    analytics = false\n"}
    for model in models:
        files |= {
            f"models/{model}/dvc.yaml": STAGES.format(model=model),
            f"models/{model}/training.toml": SCHEDULED,
            f"models/{model}/training/params.yaml": "train:\n  rounds: 400\n",
        }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    return folder


def description(root: Path, models: Sequence[str] = ()) -> dict[str, Any]:
    """Return the description of a repository's models for this site."""
    chosen = settings.load(root)
    places = replace(
        chosen.training,
        bucket=BUCKET,
        role=f"arn:aws:iam::{ACCOUNT}:role/training",
        topic=TOPIC,
        slack="slipway_slack",
    )
    return describe(
        replace(chosen, training=places),
        models,
        image=lambda _: IMAGE,
        code=lambda _: CODE,
        options=QUICK,
    )


def forget(client: Callable[[str], Any]) -> None:
    """Leave nothing to the next site: moto keeps what it has for as long as the process lives."""
    client("sns").delete_topic(TopicArn=TOPIC)
    for bucket in client("s3").list_buckets()["Buckets"]:
        pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"])
        for item in [item for page in pages for item in page.get("Contents", ())]:
            client("s3").delete_object(Bucket=bucket["Name"], Key=item["Key"])
        client("s3").delete_bucket(Bucket=bucket["Name"])


@contextlib.contextmanager
def running(folder: Path, python: str, described: dict[str, Any]) -> Iterator[Site]:
    """Serve AWS and Slack while the block runs, with the DAGs of a description."""
    told, dags = folder / "told", folder / "dags"
    told.mkdir(parents=True)
    shutil.copytree(process.ROOT / "ci" / "airflow" / "dags", dags)
    (dags / "slipway_training.json").write_text(dump(described))
    entry = [sys.executable, str(STEPS)]
    with (
        slack.running() as hook,
        sagemaker_stand_in.running(entry, folder / "jobs", {"SLIPWAY_STEPS": str(told)}) as aws,
    ):
        site = Site(folder, aws, hook, process.home(folder, python), dags, told)
        site.client("s3").create_bucket(Bucket=BUCKET)
        key = CODE.address.removeprefix(f"s3://{BUCKET}/")
        site.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"code")
        site.client("sns").create_topic(Name=TOPIC.rpartition(":")[2])
        try:
            yield site
        finally:
            forget(site.client)
