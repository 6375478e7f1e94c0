"""A clone of this repository whose trainings really run: AWS, GitLab and Slack on loopback.

Steps are those of a training's image: its entry point, the code's archive, the library in it, the
model's own packages. DVC's remote is in S3, the releases in a folder, and GitLab is a bare
repository.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from slipway import settings
from slipway.catalog import journal, keys
from slipway.catalog.alias import single_target
from slipway.catalog.alias_move import move_alias
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.store.open import open_stage
from slipway.training.engine.environment import provide_environment
from slipway.training.image import describe_image
from tests.airflow import process, slack
from tests.airflow.site import ACCOUNT, BUCKET, QUICK, REGION, TOPIC, forget
from tests.training import sagemaker_stand_in

DATA = "data"
SETTINGS = f"""
[training]
bucket = "{BUCKET}"
role = "arn:aws:iam::{ACCOUNT}:role/slipway-training"
repository = "{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/slipway-training"
region = "{REGION}"
topic = "{TOPIC}"
slack = "slipway_slack"
"""
REMOTE = f"[core]\n    analytics = false\n    remote = s3\n['remote \"s3\"']\n    url = s3://{DATA}/dvc\n"
WEIGHTS = {
    "churn": '[weights]\n"training/churn.ubj" = "original/churn.ubj"\n',
    "screen_detection": "[weights]\n"
    '"training/model.onnx" = "screen_detection_inferencer/1/model.onnx"\n',
}
RULES = {
    "churn": '[metric."auc"]\nbetter = "higher"\nmargin = 0.01\nat_least = 0.8\n',
    "screen_detection": '[metric."test.auc"]\nbetter = "higher"\nmargin = 0.3\n',
}
HOOK = """#!/bin/sh
cd "$(dirname "$0")"
i=0
while [ "$i" -lt "${GIT_PUSH_OPTION_COUNT:-0}" ]; do
  eval "printf '%s\\\\n' \\"\\$GIT_PUSH_OPTION_$i\\"" >> options; i=$((i+1))
done
read -r _ _ ref
echo "View merge request for ${ref#refs/heads/}:" >&2
echo "  http://gitlab.invalid/team/models/-/merge_requests/7" >&2
"""


@dataclass
class Repository:
    """The checkout ``root``, its ``origin``, and what stands in for the services."""

    root: Path
    origin: Path
    aws: sagemaker_stand_in.StandIn
    slack: slack.Slack
    environment: Mapping[str, str]

    def git(self, *words: str, folder: Path | None = None) -> str:
        """Run git in the checkout."""
        identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
        command = ["git", "-C", str(folder or self.root), *identity, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def slipway(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the command in the checkout."""
        return subprocess.run(
            [sys.executable, "-m", "slipway", *words],
            cwd=self.root,
            env={**os.environ, **self.environment, **more},
            capture_output=True,
            text=True,
            timeout=900,
        )

    def serve(self, model: str, metrics: Mapping[str, float], version: str = "1.0.0") -> None:
        """Have production serve a release of a model with these metrics."""
        from slipway.artifact.manifest import Manifest

        manifest = replace(Manifest(model, version, model, {}, {}, None, "slipway"), serves=model)
        target = f"{model}_{version}.tar.gz"
        stage = open_stage(settings.load(self.root), "production")
        record = Record(
            manifest, target, "0" * 64, journal.now(), Origin(), metrics=dict(metrics), rules={}
        )
        stage.store.create(keys.record("production", model, target), record.dump())
        move_alias(stage, model, single_target(target), "publish", Origin(), None)

    def options(self) -> str:
        """Return what the pushes asked GitLab for."""
        path = self.origin / "hooks" / "options"
        return path.read_text(encoding="utf-8") if path.is_file() else ""


@contextlib.contextmanager
def running(folder: Path, patch: pytest.MonkeyPatch, *models: str) -> Iterator[Repository]:
    """Serve while the block runs; only ``models`` are in the clone, with their stages."""
    root, origin = folder / "repository", folder / "origin.git"
    environment = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(folder / "dvc-site"),
        "PYTHONPATH": f"{process.ROOT / 'build-support'}",
    }
    image = {
        "SLIPWAY_TRAINING_USER": "root",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(folder / "dvc-site-of-jobs"),
        # moto cannot hold releases
        "SLIPWAY_PRODUCTION_STORE": str(folder / "releases"),
        "SLIPWAY_REPOSITORY": str(origin),
        "SLIPWAY_CACHE": os.environ.get("SLIPWAY_CACHE", str(Path.home() / ".cache" / "slipway")),
    }
    entry = [sys.executable, str(process.ROOT / "ci" / "training" / "entry.py")]
    with (
        slack.running() as hook,
        sagemaker_stand_in.running(entry, folder / "jobs", image) as aws,
    ):
        environment["AWS_ENDPOINT_URL"] = aws.url
        environment["SLIPWAY_PRODUCTION_STORE"] = image["SLIPWAY_PRODUCTION_STORE"]
        for name, value in environment.items():
            patch.setenv(name, value)
        made = Repository(root, origin, aws, hook, environment)
        for bucket in (BUCKET, DATA):
            boto3.client("s3").create_bucket(Bucket=bucket)
        boto3.client("sns").create_topic(Name=TOPIC.rpartition(":")[2])
        _clone(made, models)
        for model in models:
            publish_image(root, model)
            provide_environment(root / "models" / model)  # installed once per user
        try:
            yield made
        finally:
            forget(lambda service: boto3.client(service))  # type: ignore[call-overload]


def publish_image(root: Path, model: str) -> None:
    """Have ECR know the image of a model's training, without its bytes."""
    content = describe_image(root, model)
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "x", "size": 1, "digest": f"sha256:{content.content}"},
        "layers": [],
    }
    ecr: Any = boto3.client("ecr")
    with contextlib.suppress(ecr.exceptions.RepositoryAlreadyExistsException):
        ecr.create_repository(repositoryName="slipway-training")
    ecr.put_image(
        repositoryName="slipway-training",
        imageManifest=json.dumps(manifest),
        imageTag=content.content_tag,
    )


def describe(repository: Repository, target: Path) -> None:
    """Write the DAGs of the repository, as ``ci/airflow/deploy`` does, to the folder ``target``."""
    from slipway.training.airflow import describe as descriptions

    shutil.copytree(process.ROOT / "ci" / "airflow" / "dags", target)
    described = descriptions.describe(settings.load(repository.root), options=QUICK)
    (target / "slipway_training.json").write_text(descriptions.dump(described))


def _clone(made: Repository, models: tuple[str, ...]) -> None:
    root = made.root
    subprocess.run(["git", "clone", "--quiet", str(process.ROOT), str(root)], check=True)
    for folder in sorted((root / "models").iterdir()):
        if folder.is_dir() and folder.name not in models:
            shutil.rmtree(folder)
    _keep_stages(root, models)
    (root / ".dvc" / "config").write_text(REMOTE)
    with (root / "slipway.toml").open("a", encoding="utf-8") as file:
        file.write(SETTINGS)
    for model in models:
        for name, text in (("training.toml", WEIGHTS), ("evaluation.toml", RULES)):
            (root / "models" / model / name).write_text(text[model], encoding="utf-8")
    client: Any = boto3.client("s3")
    remote = process.ROOT / "dvc-remote"
    for path in sorted(remote.rglob("*")):
        if path.is_file():
            client.upload_file(str(path), DATA, f"dvc/{path.relative_to(remote).as_posix()}")
    shutil.rmtree(root / "dvc-remote")
    made.git("checkout", "--quiet", "-B", "main")
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message=Train in AWS")
    made.git("clone", "--quiet", "--bare", str(root), str(made.origin), folder=root.parent)
    made.git("remote", "set-url", "origin", str(made.origin))
    made.git("config", "receive.advertisePushOptions", "true", folder=made.origin)
    # SageMaker's container clones the commit alone
    made.git("config", "uploadpack.allowAnySHA1InWant", "true", folder=made.origin)
    hook = made.origin / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK, encoding="utf-8")
    hook.chmod(0o755)


def _keep_stages(root: Path, models: tuple[str, ...]) -> None:
    """Leave the stages of these models alone in dvc.yaml: others' folders are not there."""
    import yaml

    for name in ("dvc.yaml", "dvc.lock"):
        path = root / name
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        values["stages"] = {
            stage: value
            for stage, value in values["stages"].items()
            if any(stage.startswith(f"{model}_") for model in models)
        }
        path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
