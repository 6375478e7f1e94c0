"""Which output is the answer of a request, and how its rows are read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from slipway.capture.record import CapturedRequest
from slipway.comparison.answer import (
    AnswerRule,
    choose_answer,
    equal_rows,
    normal_label,
)
from slipway.errors import SlipwayError
from tests.comparison.captures import START, A


def captured(**outputs: Any) -> CapturedRequest:
    return CapturedRequest("e", START, "local", A, "AllTraffic", outputs=outputs)


LABEL = np.array([[b"died"], [b"survived"]], object)
SCORE = np.array([[0.2], [0.7]], np.float32)
PROBABILITIES = np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]], np.float32)


def read(request: CapturedRequest, **more: Any) -> tuple[AnswerRule, Any]:
    rule = choose_answer(request, **{"batches": True, "tensor": None, "cut": None} | more)
    return rule, rule.read(request.outputs)


def test_a_label_is_the_answer_before_a_number_and_before_probabilities() -> None:
    request = captured(p=PROBABILITIES, score=SCORE, label=LABEL)
    assert read(request)[1] == ("died", "survived")
    assert read(captured(p=PROBABILITIES, score=SCORE))[1] == pytest.approx((0.2, 0.7))


def test_of_probabilities_alone_the_place_of_the_largest_is_the_label() -> None:
    rule, rows = read(captured(p=PROBABILITIES))
    assert rows == ("1", "0") and str(rule) == "place of the largest p"


def test_a_cut_makes_labels_of_a_number() -> None:
    rule, rows = read(captured(label=LABEL, score=SCORE), cut=0.5)
    assert rows == ("0", "1") and str(rule) == "score ≥ 0.5" and not rule.is_number


def test_a_cut_of_labels_is_refused() -> None:
    with pytest.raises(SlipwayError, match="--cut needs an output with one number a row"):
        read(captured(label=LABEL), cut=0.5)


@pytest.mark.parametrize(
    ("array", "rows"),
    [
        (np.array([[True], [False]]), ("1", "0")),
        (np.array([[7], [12]], np.int64), ("7", "12")),
        (np.array([[1, 2]], np.int32), ("1, 2",)),
        (np.array([["é".encode()]], object), ("é",)),
        (np.array([[b"\xff"]], object), ("\\xff",)),
    ],
)
def test_rows_of_other_types_are_labels(array: Any, rows: tuple[str, ...]) -> None:
    assert read(captured(out=array))[1] == rows


def test_an_answer_without_a_batch_is_one_row() -> None:
    assert read(captured(out=np.array([3], np.int32)), batches=False)[1] == ("3",)


def test_an_unknown_output_is_refused_with_those_there_are() -> None:
    with pytest.raises(SlipwayError, match=r"no output 'lable'[\s\S]*--answer with one of label"):
        read(captured(label=LABEL), tensor="lable")


def test_a_redacted_output_is_refused_with_its_rule() -> None:
    request = CapturedRequest(
        "e", START, "local", A, "AllTraffic", outputs={"score": SCORE}, redacted={"label": "drop"}
    )
    with pytest.raises(SlipwayError, match=r"its rule in capture\.toml is 'drop'"):
        read(request, tensor="label")


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        (("a", "b"), ("a", "c"), 0.5),
        (("a",), ("a", "a"), 0.0),
        ((1.0, float("nan")), (1.0 + 1e-7, float("nan")), 1.0),
        ((1.0,), (1.01,), 0.0),
    ],
)
def test_equal_rows_are_equal_but_for_a_processors_last_digits(
    first: Any, second: Any, share: float
) -> None:
    assert equal_rows(first, second) == share


@pytest.mark.parametrize(
    ("text", "label"),
    [("1.0", "1"), (" true ", "1"), ("0.5", "0.5"), ("007", "007"), ("0", "0"), ("cat", "cat")],
)
def test_a_label_of_a_file_is_read_as_an_answers(text: str, label: str) -> None:
    assert normal_label(text) == label


@pytest.mark.parametrize("text", ["inf", "nan", "1e400"])
def test_a_label_that_is_no_finite_number_stays_text(text: str) -> None:
    assert normal_label(text) == text
