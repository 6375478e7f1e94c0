"""Parameters of a training, as ``--set`` changes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.training.parameters import parse_assignments, set_parameters, stage_parameters
from slipway.training.stages import open_dvc
from tests.training.repository import Checkout, make_repository


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    return make_repository(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("name", "text", "written", "value"),
    [
        ("train.rounds", "5", "rounds: 5   # how many", 5),
        ("train.rate", "1e-3", "rate: 0.001", 0.001),
        ("train.rate", "2", "rate: 2.0", 2.0),
        ("train.name", "12", "name: '12'", "12"),
    ],
)
def test_a_parameter_keeps_its_type_and_its_file_its_comments(
    repository: Checkout, name: str, text: str, written: str, value: object
) -> None:
    with open_dvc(repository.root) as repo:
        files = set_parameters(repo.index.stages, {name: text})
    assert files == [repository.training / "params.yaml"]
    content = files[0].read_text()
    assert written in content and content.startswith("# kept\n")
    with open_dvc(repository.root) as repo:
        assert stage_parameters(repo.index.stages)[name][1] == value


@pytest.mark.parametrize(
    ("name", "text", "message", "fix"),
    [
        ("train.round", "5", "no stage depends on a parameter 'train.round'", "train.rounds"),
        ("train.rounds", "five", "the parameter is int, 3", "a whole number"),
        ("train.rounds", "2.5", "the parameter is int, 3", "a whole number"),
        ("train.rate", "fast", "the parameter is float, 0.1", "a number"),
        ("train.rounds", "{", "--set train.rounds={", "such as 3"),
        ("train.name", "a; touch b", "a text has letters, digits", "change the file"),
        ("train.name", "$(touch b)", "a text has letters, digits", "change the file"),
        ("train.name", "'a\\nb'", "a text has letters, digits", "change the file"),
    ],
)
def test_an_unknown_parameter_or_another_type_is_refused(
    repository: Checkout, name: str, text: str, message: str, fix: str
) -> None:
    before = repository.state()
    with open_dvc(repository.root) as repo, pytest.raises(SlipwayError, match=message) as caught:
        set_parameters(repo.index.stages, {"train.rate": "0.5", name: text})
    assert fix in str(caught.value.fix)
    assert repository.state() == before


def test_assignments_are_names_and_texts() -> None:
    assert parse_assignments(["a.b=1", "c = x=y"]) == {"a.b": "1", "c": "x=y"}
