"""``slipway evaluate``: a model's own program on a real Triton, DVC's metrics, what is served."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import slipway
from slipway.files import sha256_of
from tests import fixture_models

PROGRAM = """
import numpy as np
from helper import expected
from slipway.testing import Model

print("words of the program")

def evaluate(model: Model) -> dict[str, float]:
    a, b = np.ones((3, 4), np.float32), np.full((3, 4), 2, np.float32)
    error = np.abs(model({"A": a, "B": b})["SUM"] - expected(a, b)).max()
    return {"error": error, "rows": 3, "nothing": float("nan")}
"""
RULES = """
[metric.rows]
better = "higher"
[metric.error]
better = "lower"
at_most = 0.5
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one model, which is built for real and has a program of its own."""
    root = tmp_path / "repository"
    folder = root / "models" / "adder"
    folder.parent.mkdir(parents=True)
    fixture_models.copy("adder", tmp_path / "copied").rename(folder)
    (folder / "model_version.txt").write_text("1.0.0\n")
    (folder / "evaluate.py").write_text(PROGRAM)
    (folder / "helper.py").write_text("def expected(a, b):\n    return a + b\n")
    (folder / "evaluation.toml").write_text(RULES)
    (root / "slipway.toml").write_text("[release.production]\nclean_commit = false\n")
    return root


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command as it is typed; nothing else is in its environment that matters here."""
    library = str(Path(slipway.__file__).parent.parent)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SLIPWAY_", "CI_"))}
    return subprocess.run(
        [sys.executable, "-m", "slipway", *words],
        cwd=root,
        env=kept | {"PYTHONPATH": library, "SLIPWAY_CACHE": str(root.parent / "cache")},
        capture_output=True,
        text=True,
    )


def compared(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    """The metrics by name, of one line of JSON."""
    (line,) = done.stdout.splitlines()
    return {each["name"]: each for each in json.loads(line)["compared"]}


def test_a_program_measures_the_artifact_on_a_real_server_and_production_is_beside_it(
    root: Path,
) -> None:
    done = run(root, "evaluate", "models/adder", "--json")
    assert done.returncode == 0, done.stderr
    artifact = root / "dist" / "adder_1.0.0.tar.gz"
    kept = json.loads((root / "dist" / "adder_1.0.0.metrics.json").read_text())
    assert kept["sha256"] == sha256_of(artifact)
    assert kept["metrics"] == {"error": 0.0, "rows": 3.0, "nothing": None}
    output = json.loads(done.stdout)
    assert output["sha256"] == kept["sha256"] and output["served"] is None
    assert output["notes"][0].startswith("served by Triton")
    assert compared(done)["error"]["state"] == "new"
    assert "words of the program" in done.stderr

    # released with these metrics; then the program finds fewer rows
    assert run(root, "publish", "models/adder", "--stage", "production").returncode == 0
    program = root / "models" / "adder" / "evaluate.py"
    program.write_text(program.read_text().replace('"rows": 3', '"rows": 2'))
    config = root / "models" / "adder" / "adder" / "config.pbtxt"
    config.write_text(config.read_text() + "# changed\n")
    (root / "models" / "adder" / "model_version.txt").write_text("1.0.1\n")
    done = run(root, "evaluate", "models/adder", "--json", "--strict")
    assert done.returncode == 1
    rows = compared(done)["rows"]
    assert (rows["candidate"], rows["served"], rows["state"]) == (2, 3, "refused")
    assert compared(done)["error"]["state"] == "same"


BROKEN = {
    "def evaluate(model):\n    return 1 / 0\n": (
        "evaluate.py:2: ZeroDivisionError",
        "fix the error",
    ),
    "def evaluate(model):\n    raise SystemExit(4)\n": ("ended its process with status 4", "let"),
    "def measure(model): ...\n": (
        "evaluate.py: the program has no function evaluate",
        "def evaluate(",
    ),
    "def evaluate(:\n": ("evaluate.py:1: SyntaxError", "fix the error"),
    "import nowhere\n": ("evaluate.py:1: ModuleNotFoundError", "fix the error"),
}


@pytest.mark.parametrize("program", BROKEN)
def test_a_program_that_fails_is_told_with_its_line_and_leaves_nothing(
    root: Path, program: str
) -> None:
    (root / "models" / "adder" / "evaluate.py").write_text(program)
    done = run(root, "evaluate", "models/adder")
    what, fix = BROKEN[program]
    assert done.returncode == 1, done.stderr
    assert what in done.stderr
    assert f"fix: {fix}" in done.stderr
    assert not list((root / "dist").glob("*.metrics.json"))


def test_a_model_with_neither_program_nor_metrics_is_no_failure(root: Path) -> None:
    for file in ("evaluate.py", "evaluation.toml"):
        (root / "models" / "adder" / file).unlink()
    done = run(root, "evaluate")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "adder: neither evaluate.py nor metrics of DVC\n"


def test_a_store_that_is_out_of_reach_stops_no_measurement(root: Path) -> None:
    (root / "models" / "adder" / "evaluate.py").unlink()
    (root / "models" / "adder" / "scores.json").write_text('{"rows": 4}')
    (root / "models" / "adder" / "evaluation.toml").write_text('files = ["scores.json"]\n' + RULES)
    (root / "slipway.toml").write_text('[release.production]\nstore = "ftp://nowhere"\n')
    done = run(root, "evaluate", "models/adder", "--json")
    assert done.returncode == 0, done.stderr
    assert compared(done)["rows"]["candidate"] == 4
    assert "what production serves is unknown" in json.loads(done.stdout)["notes"][-1]


def test_people_see_a_table_with_both_values(root: Path) -> None:
    folder = root / "models" / "adder"
    (folder / "evaluate.py").unlink()
    (folder / "evaluation.toml").write_text('files = ["scores.json"]\n' + RULES)
    (folder / "scores.json").write_text('{"rows": 3, "error": 0.25}')
    assert run(root, "publish", "models/adder", "--stage", "production").returncode == 0
    (folder / "scores.json").write_text('{"rows": 2, "error": 0.25}')
    done = run(root, "evaluate", "models/adder")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("adder compared with production's 1.0.0\n")
    rows = [line.split("│")[1:-1] for line in done.stdout.splitlines() if line[0] == "│"]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["error", "0.25", "0.25", "lower, at most 0.5", "same"],
        [
            "rows",
            "2",
            "3",
            "higher",
            "refused: worse by 1, allowed is 0",
        ],
    ]
