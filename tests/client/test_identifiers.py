"""Names become Python identifiers."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.client import identifiers


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["IMAGE", "image"], ["image", "image_2"]),
        (["a.b", "a_b", "a-b"], ["a_b", "a_b_2", "a_b_3"]),
    ],
)
def test_names_that_differ_only_in_case_or_punctuation_get_numbers(
    names: list[str], expected: list[str]
) -> None:
    assert list(identifiers.distinct_identifiers(names, set()).values()) == expected


def test_keywords_and_reserved_names_are_avoided() -> None:
    names = ["class", "self", "3d", "", "\u00e9", "_x"]
    chosen = identifiers.distinct_identifiers(names, {"self"})
    assert list(chosen.values()) == [
        "tensor_class",
        "tensor_self",
        "tensor_3d",
        "tensor",
        "tensor_2",
        "x",
    ]


@given(st.lists(st.text(max_size=50), unique=True, max_size=8))
def test_identifiers_of_any_names_are_valid_and_distinct(names: list[str]) -> None:
    chosen = identifiers.distinct_identifiers(names, {"key"})
    assert list(chosen) == names
    assert len(set(chosen.values())) == len(names)
    for identifier in chosen.values():
        assert (
            identifier.isidentifier() and identifier.isascii() and not keyword.iskeyword(identifier)
        )
        assert not identifier.startswith("_") and identifier != "key"


@given(st.text(max_size=60))
def test_the_class_name_of_any_model_is_valid(name: str) -> None:
    assert f"{identifiers.class_name(name)}Client".isidentifier()


def test_a_class_name_is_the_models_name_in_camel_case() -> None:
    assert identifiers.class_name("screen_detection") == "ScreenDetection"
    assert identifiers.class_name("3d-boxes") == "Model3dBoxes"
