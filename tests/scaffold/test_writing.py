"""A new model folder is complete, or it does not exist."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import slipway
from slipway.errors import SlipwayError
from slipway.scaffold import from_onnx, from_template, locks, render, writing
from slipway.settings import Settings
from tests.scaffold.graphs import doubler

SLOW = """
import pathlib, sys, time
from slipway import settings
from slipway.scaffold import writing

def fill(folder):
    (folder / "requirements.txt").write_text("numpy==1.26.*")
    print("filling", flush=True)
    time.sleep(60)

try:
    writing.write_folder("sample", "weights", "0.1.0", settings.load(pathlib.Path.cwd()), fill)
except KeyboardInterrupt:
    sys.exit(130)
"""


def model_folders(settings: Settings) -> list[str]:
    models = settings.root / "models"
    return [path.name for path in models.iterdir()] if models.exists() else []


def interrupted(settings: Settings, number: int) -> int:
    """Return the exit status of a writer that received the signal ``number`` while it worked."""
    library = str(Path(slipway.__file__).parent.parent)
    writer = subprocess.Popen(
        [sys.executable, "-c", SLOW],
        cwd=settings.root,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([library, *sys.path])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None and writer.stdout.readline() == "filling\n"
    writer.send_signal(number)
    status = writer.wait()
    writer.stdout.close()
    return status


def test_an_interrupted_writer_leaves_nothing(settings: Settings) -> None:
    assert interrupted(settings, signal.SIGINT) == 130
    assert model_folders(settings) == []


def test_what_a_killed_writer_left_is_hidden_and_removed_by_the_next(
    settings: Settings, tmp_path: Path
) -> None:
    assert interrupted(settings, signal.SIGKILL) == -signal.SIGKILL
    assert [name.startswith(".aside-") for name in model_folders(settings)] == [True]
    derived = from_onnx.derive(doubler(tmp_path / "m.onnx", [2]))
    from_onnx.write("another", derived, settings)
    assert model_folders(settings) == ["another"]


def test_a_failure_in_the_last_step_leaves_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise SlipwayError("the cache is full")

    monkeypatch.setattr("slipway.signature.sign_weights", fail)
    derived = from_onnx.derive(doubler(tmp_path / "m.onnx", [2]))
    with pytest.raises(SlipwayError, match="the cache is full"):
        from_onnx.write("sample", derived, settings)
    assert model_folders(settings) == []


def test_a_folder_created_in_the_meantime_is_left_unchanged(settings: Settings) -> None:
    folder = settings.root / "models" / "sample"

    def fill(temporary: Path) -> list[Path]:
        (temporary / "requirements.txt").write_text("numpy==1.26.*")
        folder.mkdir()
        (folder / "theirs").touch()
        return []

    with pytest.raises(SlipwayError, match="cannot be written"):
        writing.write_folder("sample", "weights", "0.1.0", settings, fill)
    assert [path.name for path in folder.iterdir()] == ["theirs"]
    assert model_folders(settings) == ["sample"]


def test_without_dvc_nothing_is_started(settings: Settings) -> None:
    shutil.rmtree(settings.root / ".dvc")
    with pytest.raises(SlipwayError, match="no DVC repository") as caught:
        from_template.write("sample", "text", settings)
    assert "dvc init" in str(caught.value.fix)
    assert model_folders(settings) == []


def test_a_lock_of_equal_requirements_is_copied_without_asking_an_index(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "lock_requirements", lambda *_: pytest.fail("an index was asked"))
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("numpy==1.26.*  # what Triton hands over\n")
    bundled = render.lock_of("weights")
    copied = locks.provide_lock(requirements, settings, bundled)
    assert copied.read_bytes() == bundled.read_bytes()


@pytest.mark.parametrize(
    ("requirement_lines", "platform"),
    [("numpy==1.26.*\npillow\n", "linux-64"), ("numpy==1.26.*\n", "linux-aarch64")],
)
def test_a_lock_of_other_requirements_or_platform_is_not_copied(
    requirement_lines: str, platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "lock_requirements", lambda requirements, settings: tmp_path / "new")
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(requirement_lines)
    settings = Settings(root=tmp_path, platform=platform)
    assert locks.provide_lock(requirements, settings, render.lock_of("weights")).name == "new"


def test_models_of_equal_requirements_share_a_lock(settings: Settings, tmp_path: Path) -> None:
    derived = from_onnx.derive(doubler(tmp_path / "m.onnx", [2]))
    first = from_onnx.write("first", derived, settings) / "requirements.lock"
    first.write_text(first.read_text() + "# as this repository locked it\n")
    second = from_onnx.write("second", derived, settings) / "requirements.lock"
    assert second.read_bytes() == first.read_bytes()
