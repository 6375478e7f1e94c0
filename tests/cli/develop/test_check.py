"""`slipway check`: what it looks at, what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from slipway.check import RULES, Rule
from slipway.cli import main
from tests.check import fixture_repositories as repositories

ROOT = Path(__file__).parents[3]
PIPELINE = Path("models/sound/sound_pipeline/config.pbtxt")


@pytest.fixture
def good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The good repository, and the current directory."""
    repositories.make("good", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def bad(good: Path) -> Path:
    """The same with one mistake: an ignore that silences nothing."""
    text = PIPELINE.read_text()
    PIPELINE.write_text(f"{text}# slipway: ignore=SW901 for the test\n")
    return good


def second(root: Path) -> Path:
    """Another sound model in the repository."""
    folder = root / "models" / "other"
    model = folder / "other_only"
    (model / "1").mkdir(parents=True)
    one = root / "models" / "sound" / "sound_inferencer"
    (model / "1" / "model.onnx").write_bytes((one / "1" / "model.onnx").read_bytes())
    config = (one / "config.pbtxt").read_text()
    (model / "config.pbtxt").write_text(config.replace("sound_inferencer", "other_only"))
    (folder / "model_version.txt").write_text("1.0.0\n")
    return folder


def test_a_sound_repository_ends_with_0(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    second(good)
    assert main(["check"]) == 0
    assert capsys.readouterr().out == "2 models, no mistakes\n"


def test_a_mistake_ends_with_1_and_is_shown_with_its_place(
    bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check"]) == 1
    output = capsys.readouterr().out
    line = len(PIPELINE.read_text().splitlines())
    assert output.startswith(f"{PIPELINE}:{line}:1: error SW901 unused-ignore: ")
    assert output.endswith("1 error in 1 of 1 model\n")


@pytest.mark.parametrize("name", ["models/sound", "models/sound/", str(PIPELINE)])
def test_what_is_named_is_checked(name: str, bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    second(bad)
    assert main(["check", name]) == 1
    assert "in 1 of 1 model\n" in capsys.readouterr().out
    assert main(["check", "models/other"]) == 0


def test_paths_are_those_seen_from_where_one_is(
    bad: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir("models/sound")
    assert main(["check"]) == 1
    assert capsys.readouterr().out.startswith("sound_pipeline/config.pbtxt:")
    assert main(["check", str(bad / "models" / "sound")]) == 1
    assert capsys.readouterr().out.startswith("sound_pipeline/config.pbtxt:")


def test_a_model_without_a_version_file_is_looked_at_as_well(
    bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("models/sound/model_version.txt").unlink()
    assert main(["check"]) == 1
    assert "SW901" in capsys.readouterr().out


@pytest.mark.parametrize("name", [".", "models"])
def test_the_repository_or_its_models_are_all_models(
    name: str, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second(good)
    assert main(["check", name]) == 0
    assert capsys.readouterr().out == "2 models, no mistakes\n"


@pytest.mark.parametrize("name", ["models/none", "slipway.toml", "models/sound/sound_pipeline"])
def test_what_is_no_model_is_refused(
    name: str, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", name]) == 1
    assert name in capsys.readouterr().err


def test_a_repository_without_models_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slipway.toml").touch()
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 1
    assert "no model in it" in capsys.readouterr().err


def test_a_machine_s_report_is_all_of_the_output(
    bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--json"]) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["findings"][0]["path"] == str(PIPELINE)
    assert printed.err == ""


def test_a_report_in_a_file_leaves_the_text_on_the_screen(
    bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--format", "gitlab", "--output", "reports/quality.json"]) == 1
    assert "error SW901" in capsys.readouterr().out
    (entry,) = json.loads(Path("reports/quality.json").read_text())
    assert entry["location"]["path"] == str(PIPELINE)
    assert os.listdir("reports") == ["quality.json"]


def test_warnings_fail_only_if_that_is_asked_for(
    bad: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = RULES["SW901"]
    monkeypatch.setitem(
        RULES, "SW901", Rule(rule.id, rule.name, "warning", rule.reason, rule.source, rule.find)
    )
    assert main(["check"]) == 0
    assert capsys.readouterr().out.endswith("1 warning in 1 of 1 model\n")
    assert main(["check", "--strict"]) == 1


def test_what_is_wrong_for_every_model_is_told_once(
    good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(good / "models" / "sound", good / "models" / "sound_too")
    settings = good / "slipway.toml"
    settings.write_text(settings.read_text().replace('"25.04"', '"23.10"'))
    assert main(["check"]) == 1
    assert capsys.readouterr().out.count("SW607") == 1


def test_what_breaks_in_one_model_hides_no_other(
    bad: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    second(bad)
    rule = RULES["SW903"]

    def breaks(subject: Any) -> list[object]:
        if subject.name == "other":
            raise ValueError("a bug")
        return []

    monkeypatch.setitem(RULES, "SW903", Rule(rule.id, "", "error", "", "", breaks))  # type: ignore[arg-type]
    assert main(["check"]) == 3
    printed = capsys.readouterr()
    assert "error SW901" in printed.out
    assert "a bug" in printed.err and "models/other" in printed.err


def test_fix_shows_the_diff_and_leaves_what_it_cannot_mend(
    bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = PIPELINE.read_text().replace('platform: "ensemble"', "platform: 'ensemble'")
    PIPELINE.write_text(wrong)
    assert main(["check", "--fix"]) == 1
    output = capsys.readouterr().out
    assert "-platform: 'ensemble'\n+platform: \"ensemble\"\n" in output
    assert output.endswith("1 error in 1 of 1 model\n") and "SW901" in output
    assert main(["check", "--fix", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["errors"] == 1


def test_fix_on_a_sound_repository_changes_nothing(
    good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in good.rglob("*")}
    assert main(["check", "--fix"]) == 0
    assert capsys.readouterr().out == "1 model, no mistakes\n"
    assert {path: path.stat().st_mtime_ns for path in good.rglob("*")} == before


def test_the_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--rules"]) == 0
    output = capsys.readouterr().out
    assert all(rule in output for rule in RULES)


@pytest.mark.parametrize("rule", ["SW901", "sw901"])
def test_a_rule_is_explained(rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--explain", rule]) == 0
    output = capsys.readouterr().out
    assert RULES["SW901"].reason in output and RULES["SW901"].source in output
    assert "docs/rules/SW901.md" in output


def test_a_rule_that_does_not_exist_is_told_with_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["check", "--explain", "SW9001"]) == 1
    assert "no rule SW9001" in (output := capsys.readouterr().err)
    assert "--explain SW901" in output


def run(root: Path, terminal: bool) -> str:
    """What the command prints, on a terminal or into a pipe."""
    command = [sys.executable, "-m", "slipway", "check"]
    env = os.environ | {"PYTHONPATH": str(ROOT / "build-support"), "TERM": "xterm"}
    env.pop("NO_COLOR", None)
    if not terminal:
        return subprocess.run(command, cwd=root, env=env, capture_output=True, text=True).stdout
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, cwd=root, env=env, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        printed = b""
        try:
            while piece := os.read(ours, 4096):
                printed += piece
        except OSError:  # Linux' way to say that the other end is closed
            pass
        process.wait()
    os.close(ours)
    return printed.decode()


def test_a_terminal_gets_colours_and_a_pipe_gets_none(bad: Path) -> None:
    assert "\x1b[31m" in run(bad, terminal=True)
    assert "\x1b" not in run(bad, terminal=False)


def test_code_that_is_too_long_to_follow_is_named(
    good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path("models/sound/sound_postprocessing/1/model.py")
    execute = '        """One response a request."""\n'
    assert execute in path.read_text()
    long = execute + "        width = 1 + 2\n" * 7000
    path.write_text(path.read_text().replace(execute, long))
    assert main(["check"]) == 0
    assert f"note: {path}: too long to be followed" in capsys.readouterr().err
