"""The entry point of a training's image: it trusts only the archive that its name vouches for."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ENTRY = Path(__file__).parents[2] / "ci" / "training" / "entry.py"
STEP = """
import json, os, sys
print(json.dumps([sys.argv[1:], os.getcwd(), os.environ["SAGEMAKER_BASE_DIR"]]))
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    code = tmp_path / "code" / "build-support" / "slipway" / "pipeline" / "retraining"
    code.mkdir(parents=True)
    for folder in (code, code.parent, code.parent.parent):
        (folder / "__init__.py").write_text("")
    (code / "step.py").write_text(STEP)
    return tmp_path / "opt" / "ml"


def pack(base: Path, channel: str = "input/data/code", name: str | None = None) -> Path:
    folder = base / channel
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "new.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(base.parents[1] / "code", ".")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    return archive.rename(folder / (name or f"{digest}.tar.gz"))


def start(base: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "SAGEMAKER_BASE_DIR": str(base),
        "SLIPWAY_TRAINING_USER": "root",  # tests may run as root, and there is no such user here
        "TMPDIR": str(base.parents[1]),
    }
    return subprocess.run(
        [sys.executable, str(ENTRY), *arguments], env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("channel", ["input/data/code", "processing/input/code"])
def test_a_step_runs_in_the_unpacked_code(base: Path, channel: str) -> None:
    pack(base, channel)
    ended = start(base, "evaluate", "model=churn")
    assert ended.returncode == 0, ended.stderr
    assert '["evaluate", "model=churn"]' in ended.stdout


def test_an_archive_that_was_changed_is_not_run(base: Path) -> None:
    pack(base, name="0" * 64 + ".tar.gz")
    ended = start(base, "train")
    assert ended.returncode == 1
    assert "it was changed" in ended.stderr
    assert "it was changed" in (base / "output" / "failure").read_text()
    assert "it was changed" in (base / "output" / "message").read_text()


def test_a_job_without_code_says_so(base: Path) -> None:
    ended = start(base, "train")
    assert ended.returncode == 1
    assert "0 archives of code" in (base / "output" / "failure").read_text()


def test_nothing_is_unpacked_outside_of_its_folder(base: Path) -> None:
    folder = base / "input" / "data" / "code"
    folder.mkdir(parents=True)
    archive = folder / "new.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(ENTRY, "../../escaped.py")
    archive.rename(folder / f"{hashlib.sha256(archive.read_bytes()).hexdigest()}.tar.gz")
    ended = start(base, "train")
    assert ended.returncode == 1
    assert "OutsideDestinationError" in ended.stderr
    assert not list(base.parents[1].rglob("escaped.py"))
