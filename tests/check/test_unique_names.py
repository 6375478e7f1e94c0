"""The new names that SW119 proposes: each begins with the folder's, and none is another's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.check.fix.unique_names import prefixed_names

WORDS = st.lists(st.sampled_from(["a", "b", "a_b", "b_a", "f", "f_a", "f_b", "f_a_b", "b-a"]))


@pytest.mark.parametrize(
    ("names", "renamed"),
    [
        (["preprocessing"], {"preprocessing": "ocr_preprocessing"}),
        (["text_preprocessing"], {"text_preprocessing": "ocr_preprocessing"}),
        (["reader_1_0_0"], {"reader_1_0_0": "ocr_reader_1_0_0"}),
        (
            ["text_preprocessing", "image_preprocessing"],
            {
                "text_preprocessing": "ocr_text_preprocessing",
                "image_preprocessing": "ocr_image_preprocessing",
            },
        ),
        (
            ["ocr_preprocessing", "text_preprocessing"],
            {"text_preprocessing": "ocr_text_preprocessing"},
        ),
        (["a_b", "b", "ocr_a_b"], {"a_b": "ocr_a_b_2", "b": "ocr_b"}),
    ],
)
def test_the_last_word_is_enough_where_it_is_unique(
    names: list[str], renamed: dict[str, str]
) -> None:
    assert prefixed_names("ocr", names) == renamed


@given(names=WORDS.map(lambda words: list(dict.fromkeys(words))))
def test_no_two_models_get_one_name(names: list[str]) -> None:
    renamed = prefixed_names("f", names)
    after = [renamed.get(name, name) for name in names]
    assert len(set(after)) == len(after)
    assert not set(renamed.values()) & set(names)
    assert all(name.startswith("f") for name in after)
