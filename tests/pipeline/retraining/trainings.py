"""A repository whose model ``adder`` is trained by DVC's own stages, beside a bare origin."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slipway import settings, signature
from slipway.catalog import journal, keys
from slipway.catalog.alias import single_target
from slipway.catalog.alias_move import move_alias
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.model.any_folder import read_any_folder
from slipway.model.weights import Weights
from slipway.pipeline.retraining import changes, next_version
from slipway.store.open import open_stage
from slipway.training.run import DataFile, Stage, TrainingRun, write_run
from tests import fixture_models
from tests.pipeline import history
from tests.pipeline.history import History

NAME = "adder"
FOLDER = f"models/{NAME}"
SERVED = "adder/1/model.onnx"
# the graph of the fixture, with the rounds in its description: other rounds, other bytes
TRAIN = """import json, sys
from pathlib import Path
import onnx, yaml
here = Path(__file__).parent
rounds = yaml.safe_load((here / "params.yaml").read_text())["train"]["rounds"]
model = onnx.load(here / "graph.onnx")
model.doc_string = f"{rounds} rounds on {(here / 'rows.csv').read_text()}"
onnx.save(model, here / "model.onnx")
(here / "metrics.json").write_text(json.dumps({"test": {"auc": round(0.9 + rounds / 1000, 4)}}))
"""
STAGES = f"""stages:
  train:
    cmd: {sys.executable} training/train.py
    deps: [training/train.py, training/graph.onnx, training/rows.csv]
    params: [training/params.yaml: [train]]
    outs: [training/model.onnx]
    metrics: [training/metrics.json: {{cache: false}}]
"""
EVALUATION = '[metric."test.auc"]\nbetter = "higher"\nmargin = 0.01\n'
TRAINING = f'[weights]\n"training/model.onnx" = "{SERVED}"\n\n[schedule]\nmax_age = "90d"\n'
CONFIG = "[core]\n analytics = false\n remote = there\n['remote \"there\"']\n url = {}\n"
HOOK = """#!/bin/sh
here=$(dirname "$0")
if [ -e "$here/refuse" ]; then echo "GitLab: this branch may not be pushed" >&2; exit 1; fi
: > "$here/options"
i=0
while [ "$i" -lt "${GIT_PUSH_OPTION_COUNT:-0}" ]; do
  eval "printf '%s\\\\n' \\"\\$GIT_PUSH_OPTION_$i\\"" >> "$here/options"; i=$((i+1))
done
echo "View merge request for retrain/adder:" >&2
echo "  http://gitlab.invalid/team/models/-/merge_requests/7" >&2
"""


@dataclass
class Trainings:
    """The checkout; ``remote`` is DVC's, a folder."""

    history: History
    remote: Path
    runs: int = 0

    @property
    def root(self) -> Path:
        """The checkout's folder."""
        return self.history.root

    @property
    def hooks(self) -> Path:
        """The folder of the origin's hooks."""
        return self.history.origin / "hooks"

    def options(self) -> list[str]:
        """The push options that the origin's hook saw last."""
        return (self.hooks / "options").read_text(encoding="utf-8").splitlines()

    def train(self, rounds: int, *, commit: bool = False, **fields: Any) -> TrainingRun:
        """Train with so many rounds, as ``slipway train --set`` does; the run that is recorded."""
        self.history.write(f"{FOLDER}/training/params.yaml", f"train:\n  rounds: {rounds}\n")
        subprocess.run(
            [sys.executable, "-m", "dvc", "repro", "--quiet", f"{FOLDER}/dvc.yaml:train"],
            cwd=self.root,
            check=True,
            capture_output=True,
        )
        self.runs += 1
        run = replace(
            recorded(self.root, self.history.git("rev-parse", "HEAD"), self.runs), **fields
        )
        write_run(self.root / FOLDER, run)
        if commit:
            self.history.commit("trained")
        return run

    def release(self, metrics: Mapping[str, float], version: str = "1.0.0") -> None:
        """Let production serve the model as it is in the checkout, with these metrics."""
        made = read_any_folder(self.root / FOLDER)
        manifest = replace(_manifest(version), serves=NAME)
        manifest = next_version.from_folder(made, manifest).manifest
        target = f"{NAME}_{version}.tar.gz"
        stage = open_stage(settings.load(self.root), "production")
        record = Record(
            manifest,
            target,
            "0" * 64,
            journal.now(),
            Origin(),
            metrics=dict(metrics),
            rules={"test.auc": {"better": "higher", "margin": 0.01}},
        )
        stage.store.create(keys.record("production", NAME, target), record.dump())
        move_alias(stage, NAME, single_target(target), "publish", Origin(), None)


def _manifest(version: str) -> Any:
    from slipway.artifact.manifest import Manifest

    return Manifest(NAME, version, NAME, {}, {}, None, "slipway")


def recorded(root: Path, commit: str, number: int) -> TrainingRun:
    """The record of a training that has just run in ``root``."""
    address = f"{FOLDER}/dvc.yaml:train"
    entry = changes.read_stages(root, [address])[address]

    def files(side: str) -> tuple[DataFile, ...]:
        return tuple(
            DataFile(f"{FOLDER}/{file['path']}", f"md5:{file['md5']}", file["size"])
            for file in entry[side]
        )

    metrics = json.loads((root / FOLDER / "training/metrics.json").read_text(encoding="utf-8"))
    stage = Stage(address, entry["cmd"], files("deps"), {}, files("outs"), "ran")
    return TrainingRun(
        id=f"{NAME}-20261130T2340{number:02}Z-{number:06x}",
        model=NAME,
        place="local",
        commit=commit,
        dirty=False,
        started=f"2026-11-30T23:40:{number:02}Z",
        seconds=2.0,
        lock_sha256="0" * 64,
        stages=(stage,),
        metrics={"test.auc": metrics["test"]["auc"]},
    )


def begin(folder: Path) -> Trainings:
    """The model, trained with 10 rounds, served and committed; nothing is in production."""
    made = history.begin(folder / "here")
    done = Trainings(made, folder / "remote")
    fixture = fixture_models.MODELS / NAME
    config = (fixture / "adder/config.pbtxt").read_text(encoding="utf-8")
    made.write(f"{FOLDER}/adder/config.pbtxt", config)
    made.write(f"{FOLDER}/model_version.txt", "1.0.0\n")
    made.write(
        f"{FOLDER}/tests/cases/ones/input.json",
        '{"inputs": {"A": [[1, 1, 1, 1]], "B": [[1, 1, 1, 1]]}}',
    )
    made.write(f"{FOLDER}/dvc.yaml", STAGES)
    made.write(f"{FOLDER}/training.toml", TRAINING)
    made.write(f"{FOLDER}/evaluation.toml", EVALUATION)
    made.write(f"{FOLDER}/training/train.py", TRAIN)
    made.write(f"{FOLDER}/training/rows.csv", "1,2,3\n")
    made.write(".gitignore", "/.slipway/\n__pycache__/\n/models/adder/training/model.onnx\n")
    made.write(".dvc/config", CONFIG.format(done.remote))
    made.write(".dvc/.gitignore", "/config.local\n/tmp\n/cache\n")
    fixture_models.save_adder(made.root / FOLDER / "training/graph.onnx")
    done.train(10)
    served = made.root / FOLDER / SERVED
    served.parent.mkdir(exist_ok=True)
    served.write_bytes((made.root / FOLDER / "training/model.onnx").read_bytes())
    signature.add_weights(served, Weights(made.root))
    made.write(f"{FOLDER}/adder/1/.gitignore", "/model.onnx\n")
    made.commit("a model")
    made.push()
    for key in ("receive.advertisePushOptions",):
        subprocess.run(["git", "config", key, "true"], cwd=made.origin, check=True)
    hook = made.origin / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK, encoding="utf-8")
    hook.chmod(0o755)
    return done
