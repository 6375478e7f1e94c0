"""Texts: what each word adds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import SlipwayError
from slipway.explain.explain import Options, explain
from slipway.explain.words import split_words
from tests.explain.asked import counts, text, text_interface


def words_of(sentence: str, most: int = 1000) -> list[str]:
    return [part.name for part in split_words({"T": text(sentence)["TEXT"][0]}, "T", most).parts]


def kept(sentence: str, *inside: int) -> str:
    subject = split_words({"T": text(sentence)["TEXT"][0]}, "T", 1000)
    coalition = np.isin(np.arange(len(subject.spans)), inside)
    return bytes(subject.row(0, coalition)["T"][0]).decode()


def test_each_word_adds_what_it_weighs() -> None:
    found = explain(
        counts({"good": 2.0, "bad": -3.0}), text_interface(), text("good film bad end good")
    )
    assert (found.kind, found.input, found.base) == ("text", "TEXT", 0.0)
    assert [(p.name, round(p.contribution, 12)) for p in found.parts] == [
        ("good", 2),
        ("film", 0),
        ("bad", -3),
        ("end", 0),
        ("good", 2),
    ]
    first, last = found.parts[2].place
    assert "good film bad end good"[first:last] == "bad"


def test_apostrophes_belong_to_words_and_signs_of_scripts_without_spaces_are_words() -> None:
    assert words_of("Ce n’est pas l'île… :)") == ["Ce", "n’est", "pas", "l'île", "…", ":)"]
    assert words_of("電影很好 ok") == ["電", "影", "很", "好", "ok"]


def test_words_are_left_out_with_their_space_and_never_joined() -> None:
    assert kept("one two three", 0, 2) == "one three"
    assert kept("not-good film", 0, 2, 3) == "not good film"
    assert kept("end. Then", 1, 2) == ". Then"
    assert kept("one two") == ""
    assert kept(" one\n two", 0, 1) == " one\n two"


@given(st.text(min_size=1).filter(lambda t: any(c.isalnum() for c in t)), st.data())
def test_what_is_kept_is_in_the_text_in_its_order(sentence: str, data: st.DataObject) -> None:
    subject = split_words({"T": text_of(sentence)}, "T", 1000)
    inside = data.draw(
        st.lists(st.booleans(), min_size=len(subject.spans), max_size=len(subject.spans))
    )
    result = bytes(subject.row(0, np.array(inside))["T"][0]).decode()
    expected = "".join(
        sentence[first:last]
        for (first, last), kept in zip(subject.spans, inside, strict=True)
        if kept
    )
    assert "".join(result.split()) == "".join(expected.split())


def text_of(sentence: str) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    tensor = np.empty(1, dtype=object)
    tensor[0] = sentence.encode(errors="ignore").decode(errors="ignore").encode() or b"a"
    return tensor


def test_a_long_text_is_taken_in_groups_and_that_is_said() -> None:
    sentence = " ".join(f"w{number}" for number in range(300))
    found = explain(
        counts({"w7": 1.0}), text_interface(), text(sentence), options=Options(requests=40)
    )
    assert found.requests <= 40
    assert any("in groups of" in statement for statement in found.statements)
    assert max(found.ranked[0].name.split(), key=lambda w: w == "w7") == "w7"


def test_bytes_that_are_neither_text_nor_picture_are_refused() -> None:
    inputs = {"TEXT": np.array([[b"\xff\x00\xfe"]], dtype=object)}
    with pytest.raises(SlipwayError, match="neither a picture nor text"):
        explain(counts({}), text_interface(), inputs)
    with pytest.raises(SlipwayError, match="has no word"):
        explain(counts({}), text_interface(), text("   "))
