"""A repository with one model whose weights a recorded training run made, all committed."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from pathlib import Path

from slipway import settings as configuration
from slipway.artifact.artifact import Artifact
from slipway.catalog.origin import current_origin
from slipway.release.metadata import gather_metadata
from slipway.release.promote import Promotion, promote
from slipway.release.publish import Release, publish
from slipway.settings import Settings
from slipway.store.open import open_stage
from slipway.training.run import Compared, DataFile, Stage, TrainingRun, write_run
from tests.artifact.samples import packed, write_environment, write_model
from tests.release.evidence.sample_model import junit_report

WEIGHTS = b"weights" * 9000
ROWS = b"sex,fare,survived\nfemale,80,1\nmale,7,0\n"
TRAINING = "models/tiny/training"
VERSION_ID = "L4kqtJlcpXroDTDmpUMLUo"
IMAGE = f"111122223333.dkr.ecr.us-east-1.amazonaws.com/slipway-training@sha256:{'5' * 64}"
TOML = """[environment]
channels = []
[release]
store = "store"
[endpoint.staging]
endpoint_name = "models-staging"
region = "eu-central-1"
"""


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def data_file(path: str, data: bytes) -> DataFile:
    return DataFile(f"{TRAINING}/{path}", f"md5:{md5(data)}", len(data))


def sample_run(weights: bytes = WEIGHTS, **changes: object) -> TrainingRun:
    """The record of a run of two stages that made ``weights``."""
    fit = Stage(
        "tiny_train",
        f"python {TRAINING}/train.py",
        (data_file("rows.csv", ROWS), data_file("train.py", b"fit()\n")),
        {"train.rounds": 20, "train.rate": 0.1},
        (data_file("parameters.npz", b"parameters"),),
        "ran",
    )
    export = Stage(
        "tiny_export",
        f"python {TRAINING}/export.py",
        (data_file("parameters.npz", b"parameters"), data_file("export.py", b"export()\n")),
        {},
        (data_file("model.onnx", weights),),
        "ran",
    )
    run = TrainingRun(
        id="tiny-20261130t234000z-0a1b2c",
        model="tiny",
        place="sagemaker",
        commit="7" * 40,
        dirty=False,
        started="2026-11-30T23:40:00Z",
        seconds=35.25,
        lock_sha256="1" * 64,
        stages=(fit, export),
        parameters={"train.rounds": 20, "train.rate": 0.1},
        metrics={"test.auc": 0.9791, "test.frames": 400.0},
        image=IMAGE,
        jobs=("arn:aws:sagemaker:us-east-1:111122223333:training-job/tiny-1",),
        compared=Compared("1.1.0", {"test.auc": 0.97}, "better"),
    )
    return replace(run, **changes)  # type: ignore[arg-type]


class TrainedRepository:
    """The repository in ``root``, its model ``tiny``, and two stages in a folder ``store``."""

    def __init__(self, root: Path, toml: str = TOML) -> None:
        self.root = root
        self.folder = write_model(root, WEIGHTS)
        self.environment = write_environment(root.parent / f"{root.name}-environment")
        self.write("slipway.toml", toml)
        self.write(".gitignore", "/store/\n/dist/\nmodel.onnx\nrows.csv\n")
        self.write(f"{TRAINING}/train.py", "fit()\n")
        self.write(
            f"{TRAINING}/rows.csv.dvc",
            "md5: 0123456789abcdef0123456789abcdef\nfrozen: true\ndeps:\n"
            f"- path: s3://analyst:secret@bucket/rows.csv?X-Amz-Signature=1\n"
            f"  version_id: {VERSION_ID}\n  size: {len(ROWS)}\n"
            f"outs:\n- md5: {md5(ROWS)}\n  size: {len(ROWS)}\n  hash: md5\n  path: rows.csv\n",
        )
        self.git("init", "-q", "-b", "main")
        self.commit("A model")

    @property
    def settings(self) -> Settings:
        return configuration.load(self.root)

    def git(self, *words: str) -> str:
        identity = ["-c", "user.name=dev", "-c", "user.email=dev@example.com"]
        command = ["git", "-C", str(self.root), *identity, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def commit(self, subject: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "HEAD")

    def record(self, run: TrainingRun) -> None:
        """Record the run beside the model, and commit it."""
        write_run(self.folder, run)
        self.commit("A training")

    def packed(self) -> Artifact:
        return packed(self.folder, self.environment)

    def publish(self) -> tuple[Release, list[str]]:
        """Publish the tested model to staging; also the notes on what was left out."""
        artifact = self.packed()
        report = self.root.parent / f"{self.root.name}.tests.xml"
        report.write_text(junit_report(artifact.sha256), encoding="utf-8")
        settings = self.settings
        metadata, notes = gather_metadata(
            settings,
            self.folder,
            artifact,
            current_origin(self.root),
            reports=[report],
            production=open_stage(settings, "production"),
        )
        release = publish(artifact, open_stage(settings, "staging"), metadata=metadata)
        return release, notes

    def promote(self) -> Promotion:
        return promote(self.settings, "tiny", None, current_origin(self.root))
