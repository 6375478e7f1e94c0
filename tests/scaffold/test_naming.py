"""Invalid and taken names are refused; names of tensors are kept unless they are unsafe."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.scaffold import naming


@pytest.mark.parametrize(
    ("name", "proposed"),
    [
        ("", "translate"),
        ("Big", "big"),
        ("my-model", "my_model"),
        ("2nd", "nd"),
        ("a/b", "a_b"),
        ("..", "translate"),
        ("größe", "gr_e"),
        ("_private", "private"),
        ("line\nbreak", "line_break"),
        ("x" * 101, "x" * 100),
    ],
)
def test_an_invalid_model_name_is_refused_with_a_proposal(
    tmp_path: Path, name: str, proposed: str
) -> None:
    with pytest.raises(SlipwayError, match="is not a valid model name") as caught:
        naming.refuse_name(name, tmp_path)
    assert caught.value.fix == f"use for example {proposed}"


@pytest.mark.parametrize("name", ["class", "a", "import", "x1_2", "tests"])
def test_python_keywords_are_valid_names(tmp_path: Path, name: str) -> None:
    naming.refuse_name(name, tmp_path)


def test_the_name_of_an_existing_folder_is_taken_whatever_it_holds(tmp_path: Path) -> None:
    (tmp_path / "models" / "taken").mkdir(parents=True)
    with pytest.raises(SlipwayError, match="the model exists already"):
        naming.refuse_name("taken", tmp_path)


def test_the_name_of_a_model_anywhere_in_the_repository_is_taken(tmp_path: Path) -> None:
    other = tmp_path / "models" / "other" / "mine_pipeline"
    other.mkdir(parents=True)
    (other / "config.pbtxt").touch()
    with pytest.raises(SlipwayError, match="mine_pipeline") as caught:
        naming.refuse_name("mine", tmp_path)
    assert caught.value.where == str(other)


def test_a_tensor_keeps_its_name_unless_it_is_unsafe() -> None:
    assert naming.public("serving_default/x:0", ()) == "serving_default/x:0"
    assert naming.public("x", {"x"}) == "x_2"
    assert naming.public("two words", ()) == "two_words"
    # an error with this name would become status 507, and the endpoint would evict other models
    assert naming.public("BEDROOMS", ()) == "bedrooms"


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("X", "x"),
        ("class", "tensor_class"),
        ("0/a", "tensor_0_a"),
        ("self", "tensor_self"),
        ("é", "tensor"),
    ],
)
def test_a_tensor_has_a_variable_that_is_valid_in_python(name: str, variable: str) -> None:
    assert naming.variable(name, ()) == variable
    assert variable.isidentifier()
