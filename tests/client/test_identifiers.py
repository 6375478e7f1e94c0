"""Names become Python's."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.client import identifiers


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["IMAGE", "image"], ["image", "image_2"]),
        (["a.b", "a_b", "a-b"], ["a_b", "a_b_2", "a_b_3"]),
    ],
)
def test_names_that_differ_in_case_or_signs_only_get_numbers(
    names: list[str], wanted: list[str]
) -> None:
    assert list(identifiers.distinct(names, set()).values()) == wanted


def test_words_of_pythons_and_reserved_ones_are_avoided() -> None:
    names = ["class", "self", "3d", "", "\u00e9", "_x"]
    chosen = identifiers.distinct(names, {"self"})
    assert list(chosen.values()) == [
        "tensor_class",
        "tensor_self",
        "tensor_3d",
        "tensor",
        "tensor_2",
        "x",
    ]


@given(st.lists(st.text(max_size=50), unique=True, max_size=8))
def test_whatever_the_names_identifiers_are_valid_and_distinct(names: list[str]) -> None:
    chosen = identifiers.distinct(names, {"key"})
    assert list(chosen) == names
    assert len(set(chosen.values())) == len(names)
    for word in chosen.values():
        assert word.isidentifier() and word.isascii() and not keyword.iskeyword(word)
        assert not word.startswith("_") and word != "key"


@given(st.text(max_size=60))
def test_a_class_can_be_called_as_its_model(name: str) -> None:
    assert f"{identifiers.class_name(name)}Client".isidentifier()


def test_a_classs_name_is_the_models_in_capitals() -> None:
    assert identifiers.class_name("screen_detection") == "ScreenDetection"
    assert identifiers.class_name("3d-boxes") == "Model3dBoxes"
