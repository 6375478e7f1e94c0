"""A repository with a small model, whose trainings run in the jobs of the stand-in."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from slipway import settings
from slipway.training.image import PARTS, describe_image
from slipway.training.place import TrainingRequest
from slipway.training.run import new_run_id
from slipway.training.sagemaker.place import SageMakerPlace
from tests.training.sagemaker_stand_in import StandIn, running

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, REGION = "123456789012", "us-east-1"
REPOSITORY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/slipway-training"
BUCKET, DATA = "slipway-training", "slipway-data"
FOLLOW_S = 0.5
SETTINGS = f"""
[training]
bucket = "{BUCKET}"
role = "arn:aws:iam::{ACCOUNT}:role/slipway-training"
repository = "{REPOSITORY}"
region = "{REGION}"
"""
STAGES = """stages:
  train:
    cmd: python training/train.py
    deps: [training/train.py, training/rows.csv, training/requirements.lock]
    params: [training/params.yaml: [train]]
    outs: [training/model.json]
  evaluate:
    cmd: python training/evaluate.py
    deps: [training/evaluate.py, training/model.json]
    metrics: [training/metrics.json: {cache: false}]
"""
TOML = """
[weights]
"training/model.json" = "rows/1/model.json"

[sagemaker]
instance = "ml.m5.large"
max_hours = 1.0
spot = true

[metric.loss]
regex = 'loss=([0-9.]+)'
"""
# a sum in rounds: each leaves a checkpoint, and begins with one that is found
TRAIN = """import json, os, pathlib, time
HERE = pathlib.Path(__file__).parent
PARAMETERS = dict(
    line.strip().split(": ") for line in (HERE / "params.yaml").read_text().splitlines()[1:]
)
values = [float(line) for line in (HERE / "rows.csv").read_text().split()]
kept = pathlib.Path(os.environ["SLIPWAY_CHECKPOINT_DIR"]) / "state.json"
state = json.loads(kept.read_text()) if kept.is_file() else {"round": 0, "sum": 0.0}
while state["round"] < int(PARAMETERS["rounds"]):
    state = {"round": state["round"] + 1, "sum": state["sum"] + sum(values)}
    kept.with_suffix(".new").write_text(json.dumps(state))
    kept.with_suffix(".new").replace(kept)
    print(f"round {state['round']} loss={1 / state['round']:.4f}", flush=True)
    time.sleep(float(PARAMETERS["pause"]))
if PARAMETERS["fail"] == "1":
    raise SystemExit("the rows cannot be learned")
(HERE / "model.json").write_text(json.dumps(state) + "\\n")
"""
EVALUATE = """import json, pathlib
HERE = pathlib.Path(__file__).parent
model = json.loads((HERE / "model.json").read_text())
(HERE / "metrics.json").write_text(json.dumps({"sum": model["sum"]}) + "\\n")
"""
PARAMS = "train:\n  rounds: 3\n  pause: 0.0\n  fail: 0\n"


@dataclass(frozen=True)
class Project:
    """A checkout in ``root``, and the ``stand_in`` that its trainings run in."""

    root: Path
    stand_in: StandIn

    def git(self, *arguments: str) -> str:
        """Run git in the checkout."""
        identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
        command = ["git", "-C", str(self.root), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def commit(self) -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=change")

    def clone(self, folder: Path) -> Project:
        """Return another checkout of the same commit, as another machine has it."""
        self.git("clone", "--quiet", str(self.root), str(folder))
        return Project(folder, self.stand_in)

    def request(self, model: str = "rows", **changes: Any) -> TrainingRequest:
        """Return the request to train a model."""
        lines: list[str] = []
        chosen = {"run_id": new_run_id(model), "report": lines.append, **changes}
        return TrainingRequest(root=self.root, model=model, **chosen)

    @property
    def place(self) -> SageMakerPlace:
        """Return SageMaker, as the checkout's settings name it."""
        return SageMakerPlace(settings.load(self.root))

    def files(self) -> dict[str, bytes]:
        """Return the content of what a training of ``rows`` writes."""
        names = ["training/model.json", "training/metrics.json", "dvc.lock"]
        return {name: (self.root / "models/rows" / name).read_bytes() for name in names}


@contextlib.contextmanager
def project(folder: Path, patch: pytest.MonkeyPatch, *models: str) -> Iterator[Project]:
    """A repository in ``folder`` with copies of one model, committed; its data are in S3."""
    # a job here ends within seconds, of which a growing pause would be most
    patch.setattr("slipway.training.sagemaker.follow.LONGEST_WAIT_S", FOLLOW_S)
    patch.setenv("SLIPWAY_CACHE", str(folder / "cache"))
    patch.setenv("DVC_NO_ANALYTICS", "1")
    patch.setenv("DVC_SITE_CACHE_DIR", str(folder / "dvc-site"))
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        patch.setenv(name, value)
    root = folder / "repository"
    environment = image_environment(folder / "image", "")
    entry = [sys.executable, str(root / "ci/training/entry.py")]
    with running(entry, folder / "jobs", environment) as stand_in:
        patch.setenv("AWS_ENDPOINT_URL", stand_in.url)
        for bucket in (BUCKET, DATA):
            boto3.client("s3").create_bucket(Bucket=bucket)
        made = Project(root, stand_in)
        _write(root, models or ("rows",))
        made.git("init", "--quiet", "--initial-branch=main")
        for model in models or ("rows",):
            _dvc(root, "add", "--quiet", f"models/{model}/training/rows.csv")
            publish_image(root, model)
        _dvc(root, "push", "--quiet")
        made.commit()
        yield made


def image_environment(folder: Path, lock: str) -> dict[str, str]:
    """Return the variables of a training's image whose packages are in ``folder``: here none."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (folder / "requirements.lock").write_text(lock)
    return {
        "SLIPWAY_TRAINING_ENVIRONMENT": str(folder),
        "SLIPWAY_TRAINING_USER": "root",  # a test may run as root, without the image's user
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(folder / "dvc-site"),
    }


def publish_image(root: Path, model: str) -> None:
    """Have ECR know the image of a model's training, without bytes."""
    ecr: Any = boto3.client("ecr")
    with contextlib.suppress(ecr.exceptions.RepositoryAlreadyExistsException):
        ecr.create_repository(repositoryName="slipway-training")
    content = describe_image(root, model).content
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "x", "size": 1, "digest": f"sha256:{content}"},
        "layers": [],
    }
    ecr.put_image(
        repositoryName="slipway-training",
        imageManifest=json.dumps(manifest),
        imageTag=describe_image(root, model).content_tag,
    )


def _write(root: Path, models: tuple[str, ...]) -> None:
    for part in PARTS:
        if "{model}" not in part:
            (root / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / part, root / part)
    files = {
        "slipway.toml": SETTINGS,
        ".gitignore": "__pycache__/\n",
        ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
        ".dvc/config": f"[core]\n    remote = s3\n['remote \"s3\"']\n    url = s3://{DATA}/dvc\n",
    }
    for model in models:
        files |= {
            f"models/{model}/dvc.yaml": STAGES,
            f"models/{model}/training.toml": TOML,
            f"models/{model}/training/train.py": TRAIN,
            f"models/{model}/training/evaluate.py": EVALUATE,
            f"models/{model}/training/params.yaml": PARAMS,
            f"models/{model}/training/requirements.lock": "",
            f"models/{model}/training/rows.csv": "1.5\n2.5\n",
            f"models/{model}/training/.gitignore": "/model.json\n",
        }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _dvc(root: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "dvc", *arguments]
    subprocess.run(command, cwd=root, check=True, capture_output=True, env=dict(os.environ))
