"""The command line: exit codes, and errors with their fix."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from slipway import cli
from slipway.cli import main
from tests import fixture_models
from tests.artifact.samples import write_model

FOLDERS = Path(__file__).parent.parent / "fixtures" / "folders"


def test_a_mistake_ends_with_1_and_a_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["build"]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and "\nfix: " in printed


@pytest.mark.parametrize("words", [["no-such-command"], ["inspect"], ["inspect", "--no-such"]])
def test_a_wrong_command_line_ends_with_1(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    assert "Usage" in capsys.readouterr().err


def test_a_bug_ends_with_3_and_says_that_it_is_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli.slipway_command, "main", lambda *_, **__: 1 / 0)
    assert main([]) == 3
    assert "a bug in slipway" in capsys.readouterr().err


def test_one_broken_model_stops_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = write_model(tmp_path)
    for file in ("requirements.txt", "tiny_preprocessing/config.pbtxt"):
        (good / file).unlink()
    shutil.rmtree(good)
    shutil.copytree(FOLDERS / "step_is_missing", tmp_path / "models" / "broken")
    for name in ("first", "last"):
        fixture_models.copy("adder", tmp_path).rename(tmp_path / "models" / name)
        (tmp_path / "models" / name / "adder").rename(tmp_path / "models" / name / name)
        config = tmp_path / "models" / name / name / "config.pbtxt"
        config.write_text(config.read_text().replace('"adder"', f'"{name}"'))
        (tmp_path / "models" / name / "model_version.txt").write_text("1.0.0\n")
    monkeypatch.chdir(tmp_path)
    assert main(["build", "--json"]) == 1
    printed = capsys.readouterr()
    built = [json.loads(line)["path"] for line in printed.out.splitlines()]
    assert built == ["dist/first_1.0.0.tar.gz", "dist/last_1.0.0.tar.gz"]
    assert "no model 'tokeniser'" in printed.err and "fix:" in printed.err

    assert main(["publish", "--json"]) == 1
    targets = [json.loads(line)["target"] for line in capsys.readouterr().out.splitlines()]
    assert len(targets) == 2 and all("-rc.h" in target for target in targets)
