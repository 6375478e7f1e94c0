"""``slipway tune``: what it refuses before it begins, and what is left of a killed run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import slipway
from slipway.cli import main
from tests.tune import served_models

LIBRARY = str(Path(slipway.__file__).parent.parent)
PATIENCE_S = 120.0


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the model ``doubling``."""
    (tmp_path / "slipway.toml").touch()
    folder = served_models.doubling(tmp_path / "models" / "doubling")
    (folder / "model_version.txt").write_text("1.0.0\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--only", "threads,speed"], "there is no knob 'speed'"),
        (["--budget", "soon"], "--budget 'soon' is not understood"),
        (["--max-p99", "50"], "--max-p99 '50' is not understood"),
        (["--clients", "0"], "--clients '0' is not a list of numbers"),
        (["--output", "picture.txt"], "no picture of the kind .txt"),
    ],
)
def test_an_option_that_is_wrong_is_refused_before_anything_is_built(
    root: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["tune", "doubling", *words]) == 1
    assert message in capsys.readouterr().err and not (root / "dist").exists()


PROGRAM = """
import sys, time
from pathlib import Path
from slipway.settings import Settings
from slipway.tune.candidate import Change
from slipway.tune.local import LocalPlace
from slipway.tune.place import loaded
root, artifact = map(Path, sys.argv[1:])
with LocalPlace(Settings(root=root), root / "models" / "doubling", artifact) as place:
    with loaded(place, (Change("doubling", "threads", 2),)):
        print(place.server.supervisor, place.folder().parent.parent, flush=True)
        time.sleep(600)
"""


def test_a_killed_run_leaves_no_process_and_no_folder(root: Path) -> None:
    artifact = served_models.packed(root / "models" / "doubling", root / "dist").path
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(root), str(artifact)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": LIBRARY},
    )
    assert process.stdout is not None
    supervisor, folder = process.stdout.readline().split()
    assert len(list(Path(folder).iterdir())) == 2  # as it is, and the candidate
    process.send_signal(signal.SIGKILL)
    process.communicate()
    end = time.monotonic() + PATIENCE_S
    while (psutil.pid_exists(int(supervisor)) or Path(folder).exists()) and time.monotonic() < end:
        time.sleep(0.1)
    assert not psutil.pid_exists(int(supervisor)) and not Path(folder).exists()


def test_the_result_is_written_only_if_that_is_asked_for(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact = served_models.packed(root / "models" / "doubling", root / "dist")
    config = root / "models" / "doubling" / "doubling" / "config.pbtxt"
    before = config.read_text()
    words = ["tune", "doubling", "--only", "threads", "--clients", "1", "--goal", "memory"]
    words += ["--artifact", str(artifact.path), "--json", "--exhaustive"]
    _keep_measurements(root, monkeypatch)
    monkeypatch.setattr("slipway.artifact.artifact.Artifact.manifest", artifact.manifest)
    assert main([*words, "--budget", "1s"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["chosen"] == [["doubling", "threads", 1]] and shown["written"] == []
    assert 'string_value: "1"' in shown["diff"] and config.read_text() == before
    assert main([*words, "--budget", "1s", "--write"]) == 0
    assert json.loads(capsys.readouterr().out)["written"] == [str(config.relative_to(root))]
    assert 'string_value: "1"' in config.read_text() and "# on the CPU" in config.read_text()


def _keep_measurements(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an earlier run have found that one thread takes half of the memory."""
    from slipway.tune.candidate import BASELINE, Change
    from slipway.tune.sample import Block, Measured, Pair
    from slipway.tune.state import State

    block = Block(100.0, 0.01, 0.02, 0.001, 100)
    pairs = [Pair(1, block, block)] * 12
    state = State(root / ".slipway" / "tune" / "kept.json")
    state.measured[BASELINE] = Measured(pairs, (100, 100))
    for value in (0, 1, 2, 4, 8, 16, 32, 64):
        candidate = (Change("doubling", "threads", value),)
        state.measured[candidate] = Measured(pairs, (50 if value == 1 else 100, 100))
    state.save()
    monkeypatch.setattr("slipway.tune.tune.state_file", lambda *_: state.path)
