"""What ``--from`` names: a file, a folder of one model or of several, an address, or nothing."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.scaffold.source import find_source


def is_model(path: Path) -> bool:
    """Return whether a path is a model: a file of the right suffix, or a SavedModel's folder."""
    return path.suffix == ".model" or (path / "saved_model.pb").is_file()


def touch(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def refused(text: str) -> tuple[str, str]:
    """Return the error's sentence and its fix."""
    with pytest.raises(SlipwayError) as caught:
        find_source(text, is_model)
    assert caught.value.fix
    return caught.value.what, caught.value.fix


def test_a_folder_that_is_a_model_is_taken_as_it_is(tmp_path: Path) -> None:
    touch(tmp_path / "saved" / "saved_model.pb", tmp_path / "saved" / "variables" / "v.model")
    assert find_source(str(tmp_path / "saved"), is_model) == tmp_path / "saved"
    assert find_source(str(tmp_path), is_model) == tmp_path / "saved"


def test_the_only_model_of_a_folder_is_found(tmp_path: Path) -> None:
    touch(tmp_path / "notes.txt", tmp_path / "runs" / "7" / "best.model", tmp_path / ".x.model")
    assert find_source(str(tmp_path), is_model) == tmp_path / "runs" / "7" / "best.model"


def test_of_several_models_the_fix_names_one_that_is_accepted(tmp_path: Path) -> None:
    touch(tmp_path / "a b.model", *(tmp_path / f"{n}.model" for n in range(10)))
    what, fix = refused(str(tmp_path))
    assert "a folder of 11 models: 0.model, " in what and "and 3 more" in what
    proposed = shlex.split(fix.partition("--from ")[2])[0]
    assert find_source(proposed, is_model) == Path(proposed)


def test_a_folder_without_models_is_refused(tmp_path: Path) -> None:
    touch(tmp_path / "notes.txt")
    assert "no model of a known format" in refused(str(tmp_path))[0]


@pytest.mark.parametrize(
    ("url", "command"),
    [
        (
            "https://example.com/models/churn.ubj?token=a&b",
            "curl --fail --location --output churn.ubj"
            " 'https://example.com/models/churn.ubj?token=a&b'; then --from churn.ubj",
        ),
        ("s3://bucket/run 7/churn.ubj", "aws s3 cp 's3://bucket/run 7/churn.ubj' churn.ubj"),
        ("file:///tmp/churn.ubj", "cp /tmp/churn.ubj churn.ubj; then --from churn.ubj"),
        ("models:/churn/3", "name the file"),
        ("ftp://example.com/", "download it to model; then --from model"),
    ],
)
def test_an_address_is_refused_with_the_command_that_fetches_it(url: str, command: str) -> None:
    assert command in refused(url)[1]


def test_a_misspelled_file_is_refused_with_the_one_that_was_meant(tmp_path: Path) -> None:
    touch(tmp_path / "churn.model")
    what, fix = refused(str(tmp_path / "chrun.model"))
    assert what == "no such file" and fix == f"did you mean {tmp_path}/churn.model?"


def test_a_file_that_is_only_a_pointer_yet_is_refused_with_the_command_that_fetches_it(
    tmp_path: Path,
) -> None:
    touch(tmp_path / "churn.model.dvc")
    assert refused(str(tmp_path / "churn.model"))[1] == (
        f"slipway weights pull {tmp_path}/churn.model.dvc"
    )
