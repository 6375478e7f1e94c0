"""How commands take models: by name, `models/NAME` or path; what a misspelled one is told."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from slipway.cli import main
from slipway.cli.commands import COMMANDS
from slipway.cli.models import ModelFolder, ModelName, resolve_folder
from slipway.errors import SlipwayError
from tests.cli.test_help import command_of

NAMES = ("titanic", "translate")
# words that name something other than a model's folder or name
OTHER_ARGUMENTS = {
    "adopt": {"path"},
    "alias": {"releases"},
    "completion": {"shell"},
    "compare": {"first", "second"},
    "diff": {"words"},
    "endpoint": set(),
    "environment": set(),
    "explain": {"files"},
    "infra": set(),
    "inspect": {"artifact"},
    "invoke": {"files"},
    "keys": set(),
    "lineage": {"release"},
    "new": {"name"},
    "notify": {"what"},
    "promote": {"release"},
    "receive": {"version"},
    "rollback": {"release"},
    "verify": {"release"},
    "weights": set(),
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository, which is the current folder, with two models."""
    (tmp_path / "slipway.toml").touch()
    (tmp_path / "docs").mkdir()
    for name in NAMES:
        (tmp_path / "models" / name / "1").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("start", [".", "docs", "models", "models/titanic", "models/titanic/1"])
@pytest.mark.parametrize("value", ["titanic", "models/titanic", "models/titanic/"])
def test_a_name_and_a_path_from_the_root_name_a_model_in_every_folder(
    start: str, value: str, root: Path
) -> None:
    folder = resolve_folder(value, root / start)
    assert (root / start / folder).resolve() == root / "models" / "titanic"
    assert folder.name == "titanic"


@pytest.mark.parametrize(
    ("start", "value"),
    [
        ("models/titanic", "."),
        ("models/titanic/1", ".."),
        ("models/translate", "../titanic"),
        ("docs", "../models/titanic"),
    ],
)
def test_a_path_is_read_from_the_current_folder(start: str, value: str, root: Path) -> None:
    folder = resolve_folder(value, root / start)
    assert (root / start / folder).resolve() == root / "models" / "titanic"
    assert folder.name == "titanic"


def test_an_absolute_path_names_a_model(root: Path) -> None:
    assert resolve_folder(str(root / "models" / "titanic"), root) == Path("models/titanic")


def test_a_models_name_goes_before_a_folder_of_that_name(root: Path) -> None:
    (root / "titanic").mkdir()
    assert resolve_folder("titanic", root) == Path("models/titanic")
    assert resolve_folder("./titanic", root) == Path("models/titanic")


@pytest.mark.parametrize("value", ["titanc", "models/titanc"])
def test_a_misspelled_model_is_answered_with_the_nearest(value: str, root: Path) -> None:
    with pytest.raises(SlipwayError, match=f"no model '{value}' in models/") as caught:
        resolve_folder(value, root)
    assert caught.value.fix == "did you mean titanic?"


def test_where_none_is_near_the_models_are_listed(root: Path) -> None:
    with pytest.raises(SlipwayError) as caught:
        resolve_folder("xyz", root)
    assert caught.value.fix == "name one of: titanic, translate"


def test_a_file_is_not_a_models_folder(root: Path) -> None:
    with pytest.raises(SlipwayError, match="not a model's folder"):
        resolve_folder("slipway.toml", root)


def test_outside_of_a_repository_that_is_what_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match=r"no slipway\.toml here"):
        resolve_folder("titanic", tmp_path)


@pytest.mark.parametrize("value", ["titanic", "models/titanic", "models/titanic/", "./titanic"])
def test_a_name_is_the_last_part_of_a_path(value: str) -> None:
    assert ModelName().convert(value, None, None) == "titanic"


def test_the_current_folder_has_a_name(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / "models" / "titanic")
    assert ModelName().convert(".", None, None) == "titanic"


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_takes_models_in_the_same_ways(entry: object) -> None:
    others = {
        parameter.name
        for parameter in command_of(entry).params  # type: ignore[arg-type]
        if isinstance(parameter, click.Argument)
        and not isinstance(parameter.type, ModelFolder | ModelName)
    }
    assert others == OTHER_ARGUMENTS.get(entry.name, set())  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", ["check", "lock", "build", "test", "run", "bump"])
def test_a_misspelled_model_is_refused_before_anything_is_done(
    command: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "titanc"]) == 1
    assert capsys.readouterr().err.endswith("fix: did you mean titanic?\n")


@pytest.mark.parametrize("command", ["test", "build", "publish", "evaluate", "report", "lock"])
def test_an_unknown_option_is_refused_before_anything_is_done(
    command: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "titanic", "-q"]) == 1
    assert "No such option '-q'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["loadtest", "m", "--p99", "fast"], "--p99"),
        (["loadtest", "m", "--rates", "1,x"], "--rates"),
        (["loadtest", "m", "--output", "load.gif"], "no picture of the kind .gif"),
        (["invoke", "m", "--data", "{"], "--data is not JSON"),
        (["report", "--output", "report.pdf"], "no report of the kind .pdf"),
        (["receive", "m", "1.0.0", "--file", "slipway.toml", "--max-size", "much"], "--max-size"),
        (["alias", "m", "1.0.0=90", "1.1.0"], "a weight is missing"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_before_a_store_is(
    words: list[str],
    problem: str,
    root: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("slipway.settings.load", lambda start: pytest.fail("settings were read"))
    assert main(words) == 1
    assert problem in capsys.readouterr().err
