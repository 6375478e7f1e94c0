"""Which number of an answer is explained."""

from __future__ import annotations

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.explain.score import choose_score
from slipway.model.interface import Interface, Tensor
from slipway.triton.datatypes import Array


def texts(*values: str) -> Array:
    return np.array([value.encode() for value in values], dtype=object)


def interface(**outputs: Tensor) -> Interface:
    return Interface(16, {}, outputs)


LABELLED = interface(
    contributions=Tensor("FP32", (4,)),
    probability=Tensor("FP32", (3,)),
    label=Tensor("BYTES", (1,)),
    reasons=Tensor("BYTES", (2,)),
)
ANSWER = {
    "contributions": np.array([5, 1, 1, 1], np.float32),
    "probability": np.array([0.2, 0.7, 0.1], np.float32),
    "label": texts("cat"),
    "reasons": texts("ears", "tail"),
}


def test_it_is_the_winning_labels_probability_and_not_its_contributions() -> None:
    score = choose_score(LABELLED, ANSWER)
    assert (score.name, score.label, score.index) == ("probability[1]", "cat", 1)
    assert score.of(ANSWER) == pytest.approx(0.7)
    # the label stays the one that was answered, whatever wins without some parts
    assert score.of({**ANSWER, "probability": np.array([0.8, 0.1, 0.1])}) == pytest.approx(0.1)


def test_another_label_or_output_may_be_chosen() -> None:
    other = choose_score(LABELLED, ANSWER, label="0")
    assert (other.name, other.label) == ("probability[0]", "")
    assert choose_score(LABELLED, ANSWER, output="contributions").name == "contributions[0]"
    word = choose_score(LABELLED, ANSWER, label="tail")
    assert word.of(ANSWER) == 1 and word.of({**ANSWER, "reasons": texts("ears", "")}) == 0


@pytest.mark.parametrize(
    ("chosen", "message", "fix"),
    [
        ({"output": "chance"}, "no output 'chance'", "probability"),
        ({"label": "7"}, "none at 7", "--label 0 to 2"),
        ({"label": "dog"}, "no text 'dog'", "cat"),
    ],
)
def test_what_is_not_in_the_answer_is_refused_with_what_is(
    chosen: dict[str, str], message: str, fix: str
) -> None:
    with pytest.raises(SlipwayError, match=message) as caught:
        choose_score(LABELLED, ANSWER, **chosen)
    assert fix in (caught.value.fix or "")


def test_a_single_number_is_its_own_score() -> None:
    outputs = interface(LABEL=Tensor("BYTES", (1,)), SCORE=Tensor("FP32", (1,)))
    score = choose_score(outputs, {"LABEL": texts("screen"), "SCORE": np.array([0.9])})
    assert (score.name, score.label, score.index) == ("SCORE", "screen", None)


def test_a_whole_number_is_a_score_only_where_no_other_is() -> None:
    outputs = interface(WORDS=Tensor("INT32", (1,)), MINUTES=Tensor("FP32", (1,)))
    answer = {"WORDS": np.array([7]), "MINUTES": np.array([0.1])}
    assert choose_score(outputs, answer).name == "MINUTES"
    assert choose_score(interface(WORDS=Tensor("INT32", (1,))), {"WORDS": answer["WORDS"]}).name


def test_only_texts_are_the_share_that_is_still_answered() -> None:
    outputs = interface(KEYWORDS=Tensor("BYTES", (3,)))
    answer = {"KEYWORDS": texts("model", "answer", "")}
    score = choose_score(outputs, answer)
    assert score.of(answer) == 1
    assert score.of({"KEYWORDS": texts("answer", "other", "")}) == 0.5
    assert "the share of its 2 texts that is still answered" in score.statement
    with pytest.raises(SlipwayError, match="empty"):
        choose_score(outputs, {"KEYWORDS": texts("", "")})


def test_lines_that_were_read_matter_more_than_their_scores() -> None:
    outputs = interface(
        TEXT=Tensor("BYTES", (-1,)), SCORE=Tensor("FP32", (-1,)), BOX=Tensor("INT32", (-1, 4, 2))
    )
    answer = {
        "TEXT": texts("a line"),
        "SCORE": np.array([0.9], np.float32),
        "BOX": np.zeros((1, 4, 2), np.int32),
    }
    assert choose_score(outputs, answer).name == "share of TEXT"
    mean = choose_score(outputs, answer, output="SCORE")
    assert mean.name == "mean of SCORE" and "any number of values" in mean.statement
    assert mean.of({**answer, "SCORE": np.zeros(0, np.float32)}) == 0


def test_an_answer_without_numbers_and_texts_has_no_score() -> None:
    with pytest.raises(SlipwayError, match="no output of the answer"):
        choose_score(interface(BOX=Tensor("INT32", (-1, 4))), {"BOX": np.zeros((2, 4), np.int32)})
