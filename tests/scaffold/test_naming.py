"""Names: refused where they are taken or none, kept where they do no harm."""

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
def test_a_name_that_no_model_may_have_is_refused_with_a_proposal(
    tmp_path: Path, name: str, proposed: str
) -> None:
    with pytest.raises(SlipwayError, match="is no name for a model") as caught:
        naming.refuse(name, tmp_path)
    assert caught.value.fix == f"such as {proposed}"


@pytest.mark.parametrize("name", ["class", "a", "import", "x1_2", "tests"])
def test_words_of_python_are_good_names(tmp_path: Path, name: str) -> None:
    naming.refuse(name, tmp_path)


def test_a_folder_that_is_there_is_taken_whatever_it_holds(tmp_path: Path) -> None:
    (tmp_path / "models" / "taken").mkdir(parents=True)
    with pytest.raises(SlipwayError, match="there is one already"):
        naming.refuse("taken", tmp_path)


def test_the_name_of_a_model_anywhere_in_the_repository_is_taken(tmp_path: Path) -> None:
    other = tmp_path / "models" / "other" / "mine_pipeline"
    other.mkdir(parents=True)
    (other / "config.pbtxt").touch()
    with pytest.raises(SlipwayError, match="mine_pipeline") as caught:
        naming.refuse("mine", tmp_path)
    assert caught.value.where == str(other)


def test_a_tensor_keeps_its_name_unless_it_would_do_harm() -> None:
    assert naming.public("serving_default/x:0", ()) == "serving_default/x:0"
    assert naming.public("x", {"x"}) == "x_2"
    assert naming.public("two words", ()) == "two_words"
    # an error that names it would be answered with 507, and the endpoint would evict other models
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
def test_a_tensor_has_a_variable_that_python_takes(name: str, variable: str) -> None:
    assert naming.variable(name, ()) == variable
    assert variable.isidentifier()
