"""The results of a training as a folder: what a checkout takes of it, and what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import slipway
from slipway.errors import SlipwayError
from slipway.training.results import apply_results, read_results
from slipway.training.run import DataFile, Stage, TrainingRun, dump_run
from tests.training.repository import Checkout, make_repository

STAGE = """  {name}_train:
    cmd: touch $RAN.{name} && while [ ! -e $RAN.{other} ]; do sleep 0.05; done && cp {raw} {out}
    deps: [{raw}]
    outs: [{out}]
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    return make_repository(tmp_path, monkeypatch)


def test_two_models_that_share_a_lock_train_at_once(repository: Checkout) -> None:
    text = "stages:\n"
    for name, other in (("one", "two"), ("two", "one")):
        training = repository.root / "models" / name / "training"
        training.mkdir(parents=True)
        for file in ("raw.txt", "requirements.lock"):
            (training / file).write_text("" if file.endswith("lock") else name)
        base = f"models/{name}/training"
        text += STAGE.format(name=name, other=other, raw=f"{base}/raw.txt", out=f"{base}/a.bin")
    (repository.root / "dvc.yaml").write_text(text)
    repository.commit()
    # neither stage ends before the other one has begun
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "slipway", "train", name],
            cwd=repository.root,
            env=os.environ | {"PYTHONPATH": str(Path(slipway.__file__).parent.parent)},
            stdout=subprocess.DEVNULL,
        )
        for name in ("one", "two")
    ]
    assert [process.wait() for process in processes] == [0, 0]
    lock = yaml.safe_load((repository.root / "dvc.lock").read_text())
    assert sorted(lock["stages"]) == ["one_train", "two_train"]
    assert "up to date" in repository.dvc("status", "one_train", "two_train")


def results(folder: Path, *paths: str) -> Path:
    """Write the results of a run whose only output is ``models/face/training/categories.json``."""
    out = DataFile("models/face/training/categories.json", "md5:0", 2)
    stage = Stage("models/face/dvc.yaml:train", "x", (), {}, (out,), "ran")
    run = TrainingRun("face-1", "face", "sagemaker", "c", False, "", 1.0, "", (stage,))
    for path in paths:
        file = folder / "files" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_text(dump_run(run))
    return folder


def test_outputs_locks_and_parameters_are_results(tmp_path: Path) -> None:
    paths = (
        "models/face/training/categories.json",
        "models/face/training/params.yaml",
        "models/face/dvc.lock",
        "dvc.lock",
    )
    assert read_results(results(tmp_path, *paths)).model == "face"


@pytest.mark.parametrize(
    "path",
    [
        "slipway.toml",
        "models/face/training/train.py",
        "models/face/face_pre/1/model.py",
        "models/other/training/params.yaml",
        "models/other/dvc.lock",
        ".gitlab-ci.yml",
        ".dvc/config",
    ],
)
def test_any_other_file_is_refused_and_nothing_is_written(
    repository: Checkout, tmp_path: Path, path: str
) -> None:
    before = repository.state()
    folder = results(tmp_path / "results", "models/face/training/categories.json", path)
    with pytest.raises(SlipwayError, match="is no result of a training of face"):
        apply_results(folder, repository.root)
    assert repository.state() == before


def test_a_link_is_refused(repository: Checkout, tmp_path: Path) -> None:
    folder = results(tmp_path / "results")
    link = folder / "files" / "models" / "face" / "training" / "categories.json"
    link.parent.mkdir(parents=True)
    link.symlink_to("/etc/passwd")
    with pytest.raises(SlipwayError, match="is no result"):
        apply_results(folder, repository.root)
    link.unlink()
    link.parent.rmdir()
    # nor is a folder of files that is a link
    link.parent.symlink_to("/etc")
    with pytest.raises(SlipwayError, match="is no result"):
        apply_results(folder, repository.root)


def test_what_is_no_folder_of_results_is_named(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="no results of a training"):
        read_results(tmp_path)
