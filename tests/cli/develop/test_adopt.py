"""``slipway adopt``: what it shows, asks, refuses and prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from slipway.cli import main
from slipway.cli.develop import adopt as module
from slipway.settings import Settings
from tests.adopt.conftest import (
    ADD,
    PYTHON,
    python_model,
    settings,
    source,
    without_index,
    write,
)

__all__ = ["settings", "source", "without_index"]  # fixtures


@pytest.fixture
def theirs(
    settings: Settings, source: Path, without_index: None, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Return somebody's repository, with the working directory in ours."""
    monkeypatch.chdir(settings.root)
    python_model(source, "score")
    write(source, {"README.md": "# Theirs"})
    return source


def test_the_plan_is_shown_and_what_is_next(
    theirs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adopt", str(theirs), "--name", "ours", "--no-record"]) == 0
    output = capsys.readouterr().out
    assert "models/ours/" in output
    assert "score → ours_score  python, served" in output
    assert "left where it is, since it belongs to no model:\n  README.md" in output
    assert "models/ours written: nothing is left to do" in output
    assert "slipway test ours" in output
    assert main(["check", "ours"]) == 0


def test_a_dry_run_writes_nothing(theirs: Path, settings: Settings) -> None:
    assert main(["adopt", str(theirs), "--dry-run"]) == 0
    assert not (settings.root / "models").exists()


def test_steps_by_hand_are_numbered_with_their_places_and_pages(
    theirs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python_model(theirs, "other", "import our_utils\n" + ADD)
    python_model(theirs, "third", ADD, PYTHON.replace("8", "${rows}"))
    assert main(["adopt", str(theirs), "--no-record"]) == 0
    output = capsys.readouterr().out
    assert "  1. models/other/other/1/model.py:1:1: no package is known" in output
    assert "  2. models/third/third/config.pbtxt:3:17: 1 template not filled in" in output
    assert "SW201: docs/rules/SW201.md" in output
    assert "models/score written: nothing is left to do" in output


def test_json_has_the_plan_and_the_steps(theirs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adopt", str(theirs), "--json", "--no-record"]) == 0
    content = json.loads(capsys.readouterr().out)
    (folder,) = content["folders"]
    assert folder["name"] == "score" and content["others"] == ["README.md"]
    assert {file["path"]: file["use"] for file in folder["models"][0]["files"]} == {
        "score/1/model.py": "copied",
        "score/config.pbtxt": "config",
    }
    assert content["steps"] == []


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (["absent"], "no such folder"),
        (["--set", "rows"], "no NAME=VALUE"),
        (["--name", "Not A Name"], "is not a valid model name"),
        (["--version", "one"], "is not a semantic version"),
    ],
)
def test_a_mistake_is_refused_and_leaves_nothing(
    words: list[str],
    output: str,
    theirs: Path,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = [] if words == ["absent"] else [str(theirs)]
    assert main(["adopt", *path, *words]) == 1
    error = capsys.readouterr().err
    assert output in error and "\nfix: " in error
    assert not (settings.root / "models").exists()


def test_on_a_terminal_nothing_is_written_without_consent(
    theirs: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_is_terminal", lambda: True)
    result = CliRunner().invoke(module.adopt, [str(theirs)], input="n\n")
    assert result.exit_code != 0 and "Write models/score?" in result.output
    assert not (settings.root / "models").exists()
