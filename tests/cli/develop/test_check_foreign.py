"""`slipway check PATH` outside of a Slipway checkout: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slipway.cli import main
from tests.adopt import foreign_repositories
from tests.check import fixture_repositories

type Capture = pytest.CaptureFixture[str]
RELEASE = "judged for Triton 25.09, the newest release with an image on SageMaker"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, which is no checkout."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_repository_without_a_mistake_says_what_it_was_judged_by(
    here: Path, capsys: Capture
) -> None:
    foreign_repositories.make("whisper", here)
    assert main(["check", "whisper"]) == 0
    first, release, adopt = capsys.readouterr().out.splitlines()
    assert first == "1 model, no mistakes"
    assert release == RELEASE
    number = adopt.removesuffix(" things that slipway adopt whisper does")
    assert int(number) > 1


def test_a_mistake_is_shown_as_in_a_checkout(here: Path, capsys: Capture) -> None:
    foreign_repositories.make("config_too_deep", here)
    assert main(["check", "config_too_deep"]) == 1
    out = capsys.readouterr().out
    path = "config_too_deep/model_repository/classifier/1/config.pbtxt"
    assert f"{path}: error SW130 config-too-deep" in out
    assert "SW115" not in out and "SW601" not in out
    assert "2 errors in 1 of 1 model\n" in out


def test_it_is_checked_from_within(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(foreign_repositories.make("bls_pipeline", here) / "triton")
    assert main(["check", "."]) == 1
    assert "models: error SW105 no-ensemble" in capsys.readouterr().out
    assert main(["check"]) == 1
    assert "slipway check . checks a Triton repository" in capsys.readouterr().err


def test_machines_get_the_number_of_things_that_adopt_does(here: Path, capsys: Capture) -> None:
    foreign_repositories.make("ocr", here)
    assert main(["check", "ocr", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["models"], report["errors"]) == (1, 1)
    assert report["adopt"] > 1
    assert [f["path"] for f in report["findings"] if f["severity"] == "error"] == [
        "ocr/model_repository/ensemble_model"
    ]


def test_several_repositories_are_adopted_one_at_a_time(here: Path, capsys: Capture) -> None:
    foreign_repositories.make("ocr", here)
    foreign_repositories.make("yolo", here)
    assert main(["check", "."]) == 1
    assert capsys.readouterr().out.endswith(" that slipway adopt does, a repository at a time\n")


def test_a_model_that_two_ensembles_call_is_reported_once(here: Path, capsys: Capture) -> None:
    models = foreign_repositories.make("fil_ensemble", here) / "model_repository"
    config = (models / "ensemble/config.pbtxt").read_text()
    (models / "second/1").mkdir(parents=True)
    (models / "second/config.pbtxt").write_text(config.replace('"ensemble"\np', '"second"\np'))
    assert main(["check", "fil_ensemble"]) == 1
    out = capsys.readouterr().out
    assert out.count("error SW262") == 1
    assert "in 1 of 2 models" in out


def test_fix_moves_the_configs_of_a_foreign_repository(here: Path, capsys: Capture) -> None:
    folder = foreign_repositories.make("config_too_deep", here) / "model_repository"
    main(["check", "config_too_deep", "--fix"])
    assert (folder / "classifier/config.pbtxt").is_file()
    assert not (folder / "classifier/1/config.pbtxt").exists()
    # the config was all that its version directory held, so git will not keep that
    assert (folder / "ensemble_model/config.pbtxt").is_file()


def test_a_config_alone_is_judged_alone(here: Path, capsys: Capture) -> None:
    models = foreign_repositories.make("tensorrt_llm", here) / "all_models"
    config = models / "ensemble/config.pbtxt"
    assert main(["check", str(config)]) == 1
    out = capsys.readouterr().out
    assert "${triton_max_batch_size} was not filled" in out
    assert out.endswith(f"{RELEASE}\n")


def test_within_a_checkout_its_release_judges(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = foreign_repositories.make("single_models", here / "foreign")
    fixture_repositories.make("good", here / "own")
    monkeypatch.chdir(here / "own")
    assert main(["check", str(foreign), "sound"]) == 1
    out = capsys.readouterr().out
    assert "Triton 25.04 has no 'tensorflow'" in out
    assert "in 2 of 6 models" in out
    assert "judged for Triton 25.04, the release of slipway.toml" in out


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nothing", "no such file or folder"),
        ("whisper/README.md", "not a model folder"),
        ("whisper/model_repository/whisper_tiny/1", "no Triton model in it"),
    ],
)
def test_what_is_no_model_is_said(path: str, message: str, here: Path, capsys: Capture) -> None:
    foreign_repositories.make("whisper", here)
    assert main(["check", path]) == 1
    assert message in capsys.readouterr().err
