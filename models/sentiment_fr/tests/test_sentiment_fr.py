"""Test what applications rely on; the golden cases in cases/ contain exact answers."""

import unicodedata

import numpy as np
import pytest

from slipway.testing import InferenceError, Model


def polarity(model: Model, *texts: str) -> list[float]:
    return [round(float(value), 4) for value in model({"TEXT": list(texts)})["POLARITY"][:, 0]]


def test_praise_is_positive_blame_negative_and_a_fact_neutral(model: Model) -> None:
    answer = model({"TEXT": ["Un livre génial !", "C'est horrible.", "Le train part à midi."]})
    assert answer["LABEL"].tolist() == [[b"positive"], [b"negative"], [b"neutral"]]


def test_a_negation_turns_the_polarity_and_halves_it(model: Model) -> None:
    assert polarity(model, "bon", "pas bon", "mauvais", "pas mauvais") == [
        0.7,
        -0.35,
        -0.71,
        0.355,
    ]


def test_an_adverb_strengthens_and_under_a_negation_weakens(model: Model) -> None:
    assert polarity(model, "triste", "vraiment triste", "pas vraiment triste") == [
        -0.3,
        -0.6,
        0.075,
    ]


def test_an_elided_negation_counts_with_either_apostrophe(model: Model) -> None:
    straight, curly = polarity(model, "Je n'aime pas ça", "Je n’aime pas ça")
    assert straight == curly < 0 < polarity(model, "J'aime ça")[0]


def test_an_elided_article_hides_no_word(model: Model) -> None:
    assert polarity(model, "l'excellent livre", "excellent", "L’EXCELLENT LIVRE") == [0.5] * 3


def test_both_unicode_forms_of_an_accent_and_none_say_the_same(model: Model) -> None:
    text = "Une idée géniale, très séduisante"
    forms = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    assert forms[0] != forms[1]
    composed, decomposed, plain = polarity(model, *forms, "Une idee geniale, tres seduisante")
    assert composed == decomposed == plain > 0


def test_a_ligature_is_its_letters(model: Model) -> None:
    assert polarity(model, "un chef-d’œuvre", "un chef-d'oeuvre") == [0.7, 0.7]


def test_quotation_marks_hide_no_word(model: Model) -> None:
    assert polarity(model, "un «excellent» livre…", "un excellent livre") == [0.5, 0.5]


def test_a_colon_before_an_elision_or_a_number_is_no_face(model: Model) -> None:
    assert polarity(model, "Il dit : c'est mardi", "Prix : 3 euros (page 8)", "Fini :(") == [
        0.0,
        0.0,
        -0.75,
    ]


@pytest.mark.parametrize("text", ["", " \n", "Zqxw blorp 42", "…", "'", "Привет", "\x00"])
def test_a_text_without_a_known_word_is_neutral_and_says_so(model: Model, text: str) -> None:
    answer = {name: rows.tolist() for name, rows in model({"TEXT": text}).items()}
    assert answer == {"LABEL": [[b"neutral"]], "POLARITY": [[0.0]], "KNOWN_WORDS": [[0]]}


def test_known_words_tell_a_balanced_text_from_an_unknown_one(model: Model) -> None:
    answer = model({"TEXT": ["un bon acteur, un mauvais film", "un acteur, un film"]})
    assert answer["LABEL"].tolist() == [[b"neutral"], [b"neutral"]]
    assert answer["KNOWN_WORDS"].tolist() == [[2], [0]]


def test_a_row_does_not_depend_on_the_rest_of_its_batch(model: Model) -> None:
    texts = ["Un livre génial !", "C'est horrible.", "", "vraiment", "pas"] * 3
    together = model({"TEXT": texts})
    for name, rows in together.items():
        alone = np.concatenate([model({"TEXT": text})[name] for text in texts])
        np.testing.assert_array_equal(rows, alone)


def test_a_long_text_is_answered_within_its_bounds(model: Model) -> None:
    answer = model({"TEXT": "vraiment horrible ! " * 5000})
    assert answer["POLARITY"].tolist() == [[-1.0]]
    assert answer["KNOWN_WORDS"].tolist() == [[10000]]


def test_bytes_that_are_no_text_are_refused(model: Model) -> None:
    with pytest.raises(InferenceError, match="not UTF-8"):
        model({"TEXT": b"caf\xe9"})
