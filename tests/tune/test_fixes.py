"""What ``slipway tune`` refuses is accepted once its ``fix:`` was followed. No server runs."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from slipway.cli import main
from slipway.cli.develop.tune import _endpoint
from slipway.errors import SlipwayError
from slipway.settings import Settings
from slipway.tune.answers import Answers
from slipway.tune.candidate import Change
from slipway.tune.config_edit import edit_config
from slipway.tune.place import Place
from slipway.tune.remote import RemotePlace
from slipway.tune.session import hold_baseline
from slipway.tune.write import new_texts, write_configs
from tests.tune import served_models
from tests.tune.fake_place import FakePlace

ONE_THREAD = (Change("doubling", "threads", 1),)


class ReachedError(SlipwayError):
    """The command has come as far as the test looks."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model ``doubling`` in a repository, in which the command runs."""
    (tmp_path / "slipway.toml").touch()
    folder = served_models.doubling(tmp_path / "models" / "doubling")
    (folder / "model_version.txt").write_text("1.0.0\n")
    monkeypatch.chdir(tmp_path)
    return folder


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return the fix of a refused command."""
    assert main(["tune", "doubling", *words]) == 1
    what, found, fix = capsys.readouterr().err.partition("fix: ")
    assert what and found, "nothing was refused"
    return fix.strip()


@pytest.fixture
def until_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command end where it would build the model."""

    def build(*_: object) -> None:
        raise ReachedError("reached the build")

    monkeypatch.setattr("slipway.cli.develop.tune.build_artifact", build)


def is_built(capsys: pytest.CaptureFixture[str], *words: str) -> bool:
    """Return whether a command has come to the build."""
    assert main(["tune", *words]) == 1
    return "reached the build" in capsys.readouterr().err


@pytest.mark.usefixtures("folder", "until_built")
@pytest.mark.parametrize(
    ("option", "wrong", "right"),
    [
        ("--budget", "soon", ["200ms", "1.5s"]),
        ("--max-p99", "50", ["200ms", "1.5s"]),
        ("--clients", "0", ["1,2,4,8"]),
        ("--only", "speed", "threads instances batching preferred max_batch precision".split()),
        ("--endpoint", "elsewhere", ["staging", "production"]),
        ("--output", "picture.txt", ["picture.svg"]),
    ],
)
def test_a_value_that_the_fix_names_is_taken(
    capsys: pytest.CaptureFixture[str], option: str, wrong: str, right: list[str]
) -> None:
    url = ("--url", "http://127.0.0.1:1") if option == "--endpoint" else ()
    fix = refused(capsys, option, wrong, *url)
    for value in right:
        assert value in fix and is_built(capsys, "doubling", option, value, *url)


@pytest.mark.usefixtures("folder", "until_built")
def test_the_folder_of_a_picture_is_created_as_the_fix_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert refused(capsys, "--output", "new/tuned.svg") == "create it first"
    Path("new").mkdir()
    assert is_built(capsys, "doubling", "--output", "new/tuned.svg")


@pytest.mark.usefixtures("until_built")
def test_a_model_of_triton_is_tuned_in_place_of_a_container(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boxed = folder.parent / "boxed"
    (boxed / "container").mkdir(parents=True)
    (boxed / "model_version.txt").write_text("1.0.0\n")
    assert main(["tune", "boxed"]) == 1
    assert "fix: name a model that Triton serves" in capsys.readouterr().err
    assert is_built(capsys, "doubling")


@pytest.mark.parametrize(
    ("kind", "words", "fixed"),
    [
        ("KIND_CPU", "--only batching --clients 1", "--only threads --clients 1"),
        ("KIND_CPU", "--only batching --clients 1", "--only batching --clients 1,8"),
        ("KIND_GPU", "--only instances", "--only instances --cpu"),
    ],
)
def test_there_is_something_to_try_once_the_fix_was_followed(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    words: str,
    fixed: str,
) -> None:
    config = folder / "doubling" / "config.pbtxt"
    config.write_text(config.read_text().replace("KIND_CPU", kind))
    monkeypatch.setattr("slipway.tune.tune._place", lambda *_: FakePlace(folder))

    def answers(*_: object) -> None:
        raise ReachedError("reached the answers")

    monkeypatch.setattr("slipway.tune.tune.Answers", answers)
    artifact = ("--artifact", str(served_models.packed(folder, Path("dist")).path))
    fix = refused(capsys, *artifact, *words.split())
    assert fix == "other names after --only, more --clients, or --cpu if the endpoint has no GPU"
    assert main(["tune", "doubling", *artifact, *fixed.split()]) == 1
    assert "reached the answers" in capsys.readouterr().err


def test_staging_or_a_server_of_this_machine_is_searched_in_place_of_production(
    folder: Path,
) -> None:
    configured = Settings(root=folder.parent.parent, store="store")
    artifact = served_models.packed(folder, Path("dist")).path
    url = "http://127.0.0.1:1"
    where = _endpoint(configured, "production", url)
    assert where is not None
    with pytest.raises(SlipwayError) as error, RemotePlace(*where, folder, artifact):
        pass
    assert error.value.fix == "--endpoint staging, or no --endpoint: a server of this machine"
    assert _endpoint(configured, None, None) is None
    where = _endpoint(configured, "staging", url)
    assert where is not None
    with RemotePlace(*where, folder, artifact):
        assert where[1].store.keys("staging/models/doubling_tune-")


def test_a_model_whose_cases_were_corrected_holds(folder: Path) -> None:
    case = folder / "tests" / "cases" / "case_0" / "expected.json"
    right = case.read_text()
    case.write_text(right.replace("8", "9"))
    place = cast(Place, FakePlace(folder))
    with pytest.raises(SlipwayError, match="does not hold") as error:
        hold_baseline(Answers(folder, place.baseline_model), place)
    assert error.value.fix == "slipway test doubling"
    case.write_text(right)
    hold_baseline(Answers(folder, place.baseline_model), place)


def test_the_same_command_writes_what_was_changed_meanwhile(folder: Path) -> None:
    config = folder / "doubling" / "config.pbtxt"
    texts = new_texts(folder, ONE_THREAD)
    config.write_text(config.read_text() + "# a word of somebody else\n")
    with pytest.raises(SlipwayError, match="changed since it was measured") as error:
        write_configs(texts)
    assert error.value.fix == "run the same command again"
    write_configs(new_texts(folder, ONE_THREAD))
    assert "somebody else" in config.read_text() and 'string_value: "1"' in config.read_text()


def test_what_is_to_be_set_by_hand_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # no text is known whose form cannot be edited
    monkeypatch.setattr("slipway.tune.config_edit._set", lambda text, *_: text)
    with pytest.raises(SlipwayError, match="not changed here") as error:
        edit_config('name: "m"', {"threads": 2, "instances": 1}, "config.pbtxt")
    assert error.value.fix == "set by hand: 2 threads, 1 instance"
