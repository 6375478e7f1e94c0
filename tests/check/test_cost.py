"""What a check of many models takes, counted: what is fast on one machine is fast on all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.check import counted_check
from tests.check import fixture_repositories as repositories

NAME = "sound"
FEW, SOME, MANY = 6, 12, 24
# libraries that a check of sound models does not need; each takes as long as all rules of a model
HEAVY = {
    *("boto3", "conda_package_streaming", "dvc", "elftools", "grpc", "multiprocessing", "numpy"),
    *("onnx", "onnxruntime", "pyflakes", "requests", "rich", "ssl"),
}


def make_repository(root: Path, models: int) -> Path:
    """Write a repository with copies of the good model under names of their own, under git."""
    repositories.make("good", root)
    good = root / "models" / NAME
    for number in range(1, models):
        folder = root / "models" / f"{NAME}_{number}"
        shutil.copytree(good, folder)
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.suffix in (".pbtxt", ".py"):
                path.write_text(path.read_text().replace(f"{NAME}_", f"{folder.name}_"))
            if path.name.startswith(f"{NAME}_"):
                path.rename(path.with_name(path.name.replace(NAME, folder.name, 1)))
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    return root


def count(root: Path) -> dict[str, Any]:
    """Return the counts of the second check of all models, in a process of its own.

    The first one tries the graphs with ONNX Runtime, and remembers what they do.
    """
    for _ in range(2):
        result = subprocess.run(
            [sys.executable, counted_check.__file__, str(root)],
            capture_output=True,
            text=True,
            check=True,
            # sets have one order, so that every run makes the same calls
            env=os.environ | {"PYTHONHASHSEED": "0", "SLIPWAY_CACHE": str(root / "cache")},
        )
    counts: dict[str, Any] = json.loads(result.stdout)
    assert counts["status"] == 0, result.stdout + result.stderr
    return counts


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Any]]:
    """Return the counts by the number of models."""
    return {
        models: count(make_repository(tmp_path_factory.mktemp(str(models)), models))
        for models in (FEW, SOME, MANY)
    }


def test_no_heavy_library_is_imported(checked: dict[int, dict[str, Any]]) -> None:
    assert HEAVY.intersection(checked[FEW]["modules"]) == set()


def test_every_text_of_a_model_is_opened_once(checked: dict[int, dict[str, Any]]) -> None:
    """Weights are opened for their first bytes, for the graph without tensors, and hashed."""
    opened = checked[MANY]["opened"]
    assert len(opened) > 8 * MANY
    often = {file: times for file, times in opened.items() if times > 1}
    assert {Path(file).suffix: times for file, times in often.items()} == {".onnx": 3}


def test_git_is_asked_for_all_models_at_once(checked: dict[int, dict[str, Any]]) -> None:
    assert {counts["processes"] for counts in checked.values()} == {2}


def test_twice_as_many_models_take_twice_the_work(checked: dict[int, dict[str, Any]]) -> None:
    first = checked[SOME]["calls"] - checked[FEW]["calls"]  # for as many models as FEW
    others = checked[MANY]["calls"] - checked[SOME]["calls"]  # for twice as many
    assert others <= 2.2 * first
