"""A repository of small models with this library, its pipeline and its Pants, in a new folder."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests import fixture_models
from tests.pipeline.history import History

ROOT = Path(__file__).resolve().parents[2]
# the BUILD file beside them names the same for the sandboxes of Pants
PARTS = (
    ".dvcignore",
    ".gitignore",
    ".gitlab-ci.yml",
    ".pants.bootstrap",
    "build-support",
    "ci",
    "models/BUILD",
    "models/conftest.py",
    "pants",
    "pants.toml",
    "pyproject.toml",
    "slipway.toml",
    "tests/requirements.txt",
)
NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.pyc", "infra", ".aside-*", "node_modules")
# its BUILD file names targets of this repository's root
PLUGIN_TESTS = "build-support/pants-plugins/tests"
TESTS_BUILD = """python_requirements(
    name="requirements",
    module_mapping={"pytest-socket": ["pytest_socket"]},
)
"""
CASE = "tests/cases/one_and_two"


def make(folder: Path, models: int) -> History:
    """A checkout in ``folder`` with models ``small_00``, ``small_01`` and so on, committed on
    ``main`` and pushed to a bare origin beside it."""
    folder.mkdir(parents=True)
    made = History(folder)
    for part in PARTS:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=NOT_COPIED)
        else:
            shutil.copy(source, target)
    made.remove(PLUGIN_TESTS)
    made.write("tests/BUILD", TESTS_BUILD)
    made.write(".dvc/config", "[core]\n analytics = false\n remote = here\n['remote \"here\"']\n")
    with (folder / ".dvc/config").open("a") as config:
        config.write(" url = ../dvc-remote\n")
    made.write(".dvc/.gitignore", "/config.local\n/tmp\n/cache\n")
    subprocess.run(["git", "init", "--quiet", "--bare", str(made.origin)], check=True)
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("config", "user.name", "test")
    made.git("config", "user.email", "test@localhost")
    made.git("remote", "add", "origin", f"file://{made.origin}")
    first = _first_model(made, "small_00")
    for number in range(1, models):
        _copy(first, folder / "models" / f"small_{number:02}")
    made.commit("small models")
    made.push()
    made.git("remote", "set-head", "origin", "main")
    return made


def _first_model(made: History, name: str) -> Path:
    folder = made.root / "models" / name
    made.write(f"models/{name}/BUILD", "triton_model()\n\npython_tests()\n")
    made.write(f"models/{name}/model_version.txt", "1.0.0\n")
    config = (fixture_models.MODELS / "adder/adder/config.pbtxt").read_text(encoding="utf-8")
    made.write(f"models/{name}/{name}/config.pbtxt", config.replace('"adder"', f'"{name}"'))
    weights = folder / name / "1" / "model.onnx"
    weights.parent.mkdir()
    fixture_models.save_adder(weights)
    rows = {"A": [[1, 2, 3, 4]], "B": [[5, 6, 7, 8]]}
    made.write(f"models/{name}/{CASE}/input.json", json.dumps({"inputs": rows}))
    sums = {
        "outputs": {"SUM": {"datatype": "FP32", "shape": [1, 4], "data": [6.0, 8.0, 10.0, 12.0]}}
    }
    made.write(f"models/{name}/{CASE}/expected.json", json.dumps(sums))
    made.write(f"models/{name}/tests/test_{name}.py", TEST)
    library = os.environ | {"PYTHONPATH": str(made.root / "build-support")}
    for words in (["slipway", "weights", "add", str(weights)], ["dvc", "push", "--quiet"]):
        command = [sys.executable, "-m", *words]
        subprocess.run(command, cwd=made.root, env=library, check=True, stdout=subprocess.DEVNULL)
    weights.unlink()
    return folder


# without the library's own types: mypy would read all of the library for them, once for each clone
TEST = """from collections.abc import Callable
from typing import Any

import numpy as np


def test_it_adds(model: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    row = np.ones((1, 4), np.float32)
    np.testing.assert_array_equal(model({"A": row, "B": row})["SUM"], row + row)
"""


def _copy(first: Path, folder: Path) -> None:
    shutil.copytree(first, folder)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(first.name, folder.name), encoding="utf-8")
        if first.name in path.name:
            path.rename(path.with_name(path.name.replace(first.name, folder.name)))


def end_pants(root: Path) -> None:
    """End the Pants daemon of a checkout and wait for it."""
    for note in root.glob(".pids/*/pantsd/pid"):
        with contextlib.suppress(ValueError, ProcessLookupError):
            number = int(note.read_text())
            os.kill(number, signal.SIGTERM)
            deadline = time.monotonic() + 30
            while Path(f"/proc/{number}").exists() and time.monotonic() < deadline:
                time.sleep(0.05)
