"""``slipway train``: what a person sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import slipway
from tests.training.repository import Checkout, make_repository

COMMAND = [sys.executable, "-m", "slipway", "train"]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    return make_repository(tmp_path, monkeypatch)


def train(repository: Checkout, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words],
        cwd=repository.root,
        env=os.environ | {"PYTHONPATH": str(Path(slipway.__file__).parent.parent)},
        capture_output=True,
        text=True,
    )


def test_it_shows_what_ran_and_what_became_of_the_metrics(repository: Checkout) -> None:
    first = train(repository, "face")
    assert first.returncode == 0, first.stderr
    repository.commit("trained")
    done = train(repository, "face", "--set", "train.rounds=5")
    lines = done.stdout.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("face: trained in "))
    assert lines[at + 1 :] == [
        "  models/face/dvc.yaml:prepare  unchanged",
        "  models/face/dvc.yaml:train    ran",
        "  models/face/dvc.yaml:measure  ran",
        "metrics, before → after:",
        "  test.size  12 → 20",
        "recorded: models/face/training/run.json",
        "Next:",
        "  git diff              # what the training changed",
        "  slipway propose face  # a merge request with these weights",
    ]
    repository.commit("trained")
    again = train(repository, "face")
    assert "nothing changed since its last training; --force" in again.stdout
    as_json = json.loads(train(repository, "face", "--force", "--json").stdout)
    assert (as_json["model"], as_json["state"]) == ("face", "trained")
    assert as_json["metrics_before"] == as_json["run"]["metrics"] == {"test.size": 20}


def test_a_failed_model_does_not_keep_the_others_from_training(repository: Checkout) -> None:
    (repository.root / "models" / "plain").mkdir()
    done = train(repository, "plain", "face")
    assert done.returncode == 1
    assert "plain has no stages that train it" in done.stderr and "fix:" in done.stderr
    assert "face: trained in" in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no model is named"),
        (["face", "--set", "train.rounds"], "is not NAME=VALUE"),
        (["face", "--set", "a=1", "--set", "a=2"], "is set twice"),
        (["face", "--detach"], "cannot be detached"),
        (["--due", "--on", "mars"], "'mars' is not one of"),
    ],
)
def test_what_it_cannot_do_is_said_at_once(
    repository: Checkout, words: list[str], message: str
) -> None:
    done = train(repository, *words)
    assert done.returncode != 0 and message in done.stderr
    assert repository.ran() == []
