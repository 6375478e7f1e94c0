"""`ci/retrain`, run on fresh runners: DVC itself, with small stages, and a remote in a folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.pipeline.drifted import drifted_models
from slipway.training.stages import training_stages
from tests.pipeline import history
from tests.pipeline.history import NOBODY, History

ROOT = Path(__file__).resolve().parents[2]
# each stage leaves a line in a file outside of the checkout, which says that it ran
STAGES = """stages:
  face_prepare:
    cmd: echo face_prepare >> $RAN && cp {0}/raw.txt {0}/frames.bin
    deps: [{0}/raw.txt]
    outs: [{0}/frames.bin: {{push: false}}]
  face_train:
    cmd: echo face_train >> $RAN && cat {0}/frames.bin {0}/train.py > {0}/model.bin
    deps: [{0}/frames.bin, {0}/train.py]
    outs: [{0}/model.bin]
  face_measure:
    cmd: echo face_measure >> $RAN && wc -c < {0}/model.bin > {0}/metrics.json
    deps: [{0}/model.bin, {0}/measure.py]
    metrics: [{0}/metrics.json: {{cache: false}}]
  face_blur_train:
    cmd: echo face_blur_train >> $RAN && cp {1}/train.py {1}/model.bin
    deps: [{1}/train.py]
    outs: [{1}/model.bin: {{cache: false}}]
""".format("models/face/training", "models/face_blur/training")

CONFIG = "[core]\n analytics = false\n remote = there\n['remote \"there\"']\n url = {}\n"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """Models ``face`` and ``face_blur``, trained once and committed; no output is in git."""
    folder = tmp_path_factory.mktemp("retrain")
    with pytest.MonkeyPatch.context() as patch:
        for key, value in {**NOBODY, "RAN": str(folder / "ran"), "DVC_NO_ANALYTICS": "1"}.items():
            patch.setenv(key, value)
        for key in [key for key in os.environ if key.startswith(("CI_", "SLIPWAY_"))]:
            patch.delenv(key)
        patch.setenv("SLIPWAY_PYTHON", sys.executable)
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        made = history.begin(folder / "here")
        for part in ("ci", "build-support/launcher"):
            ignored = shutil.ignore_patterns("node_modules", "infra")
            shutil.copytree(ROOT / part, made.root / part, ignore=ignored)
        os.symlink(ROOT / "build-support/slipway", made.root / "build-support/slipway")
        made.write("slipway.toml", "")
        made.write("dvc.yaml", STAGES)
        made.write(".gitignore", "*.bin\n/build-support/slipway\n__pycache__/\n")
        for model in ("face", "face_blur"):
            made.model(model)
            made.write(f"models/{model}/training/requirements.lock", "")
            for file in ("raw.txt", "train.py", "measure.py"):
                made.write(f"models/{model}/training/{file}", f"{model} {file}\n")
        made.write(".dvc/config", CONFIG.format(folder / "remote"))
        made.write(".dvc/.gitignore", "/tmp\n/cache\n")
        trains = [sys.executable, "-m", "dvc", "repro", "--quiet"]
        subprocess.run(trains, cwd=made.root, check=True, capture_output=True)
        made.commit()
        made.push()
        subprocess.run(
            ["git", "config", "receive.advertisePushOptions", "true"], cwd=made.origin, check=True
        )
        yield made


def retrain(trained: History, folder: Path, changed: str, *words: str, text: str = "") -> list[str]:
    """The stages that run on a fresh runner, after a change of a file."""
    runner = trained.job(folder / "runner", trained.git("rev-parse", "main"))
    os.symlink(ROOT / "build-support/slipway", runner.root / "build-support/slipway")
    runner.write(changed, text or f"changed in {folder}\n")
    ran = Path(os.environ["RAN"])
    ran.write_text("")
    branch = {"CI_PIPELINE_ID": folder.name}
    done = subprocess.run(
        ["ci/retrain", *words],
        cwd=runner.root,
        env=os.environ | branch,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return ran.read_text().split()


def test_what_the_remote_lacks_is_made_again_and_what_it_has_is_fetched(
    trained: History, tmp_path: Path
) -> None:
    measure = "models/face/training/measure.py"
    for name in ("first", "second", "third"):
        (tmp_path / name).mkdir()
    # nothing was pushed yet
    ran = retrain(trained, tmp_path / "first", measure, text="first\n")
    assert ran == ["face_prepare", "face_train", "face_measure"]
    proposed = trained.git("ls-remote", "origin", "retrain/face")
    assert proposed
    # what one runner has run, no other runs again
    assert retrain(trained, tmp_path / "second", measure, text="first\n") == []
    # the network is there now; the frames never are, and measuring does not need them
    ran = retrain(trained, tmp_path / "third", measure, text="third\n")
    assert ran == ["face_measure"]


def test_a_fresh_runner_trains_what_changed_and_no_model_whose_name_begins_alike(
    trained: History, tmp_path: Path
) -> None:
    assert retrain(trained, tmp_path, "models/face_blur/training/train.py") == ["face_blur_train"]


def test_a_stage_belongs_to_the_model_whose_folder_it_writes_to(trained: History) -> None:
    assert training_stages(trained.root) == {
        "face": ["face_measure", "face_prepare", "face_train"],
        "face_blur": ["face_blur_train"],
    }


def test_after_a_drift_only_the_models_that_drifted_are_trained(
    trained: History, tmp_path: Path
) -> None:
    report = tmp_path / "drift.json"
    verdicts = {"face": "no drift", "face_blur": "drift", "gone": "drift"}
    releases = [{"name": name, "verdict": verdict} for name, verdict in verdicts.items()]
    report.write_text(json.dumps({"releases": releases}), encoding="utf-8")
    (tmp_path / "runner-1").mkdir()
    words = ("--drifted", str(report))
    blur, face = (f"models/{name}/training/train.py" for name in ("face_blur", "face"))
    assert retrain(trained, tmp_path / "runner-1", blur, *words) == ["face_blur_train"]
    # newer code of a model that did not drift is left to the schedule of retrain
    (tmp_path / "runner-2").mkdir()
    assert retrain(trained, tmp_path / "runner-2", face, *words) == []


def test_what_is_no_report_of_drift_trains_nothing(trained: History, tmp_path: Path) -> None:
    report = tmp_path / "drift.json"
    report.write_text("{}", encoding="utf-8")
    with pytest.raises(SlipwayError, match="not a report of slipway drift"):
        drifted_models(report)
