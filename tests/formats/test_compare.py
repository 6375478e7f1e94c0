"""When two answers are the same, and when they are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from slipway.errors import SlipwayError
from slipway.formats.compare import Comparison, compare

TOLERANCE = 1e-4
shapes = arrays.array_shapes(min_dims=1, max_dims=3, max_side=5)
floats: Any = st.one_of(
    st.floats(-1e6, 1e6, width=32), st.sampled_from([np.nan, np.inf, -np.inf, 0.0])
)
outputs = shapes.flatmap(lambda shape: arrays.arrays(np.float32, shape, elements=floats))


def of(expected: Any, actual: Any, tolerance: float = TOLERANCE) -> Comparison:
    return compare({"y": np.array(expected)}, {"y": np.array(actual)}, tolerance)


@given(outputs)
def test_every_answer_is_equal_to_itself_nan_and_infinity_too(answer: Any) -> None:
    comparison = of(answer, answer, 0.0)
    assert not comparison.rows.any() and comparison.largest == 0.0


@given(outputs, st.data())
def test_nan_against_a_number_differs_on_either_side(answer: Any, data: Any) -> None:
    place = tuple(data.draw(st.integers(0, size - 1)) for size in answer.shape)
    assume(not np.isnan(answer[place]))
    other = answer.copy()
    other[place] = np.nan
    there, back = of(answer, other), of(other, answer)
    assert there.rows.tolist() == back.rows.tolist()
    assert np.flatnonzero(there.rows).tolist() == [place[0]]


@given(outputs, st.floats(0, 1))
def test_a_larger_tolerance_never_refuses_more(answer: Any, tolerance: float) -> None:
    other = answer + np.float32(0.01)
    narrow, wide = of(answer, other, tolerance / 2), of(answer, other, tolerance)
    assert not (wide.rows & ~narrow.rows).any()


@pytest.mark.parametrize(
    "expected, actual, same",
    [
        ([0.5], [0.50004], True),
        ([0.5], [0.5003], False),
        ([300.0], [300.02], True),
        ([300.0], [300.2], False),
        ([1e-8, 2e-8], [1.5e-8, 2e-8], False),  # the scale of an output of tiny numbers is theirs
        ([1e-8, 1.0], [1.5e-8, 1.0], True),
    ],
)
def test_floats_may_differ_by_the_tolerance_of_their_scale(
    expected: Any, actual: Any, same: bool
) -> None:
    assert of(expected, actual).rows.any() != same


@pytest.mark.parametrize(
    "expected, actual",
    [([1, 2], [1, 3]), ([True], [False]), (["a", "b"], ["a", "c"]), ([1], [1.5])],
)
def test_integers_and_texts_have_to_be_equal(expected: Any, actual: Any) -> None:
    comparison = of(expected, actual)
    assert comparison.rows.tolist() == [e != a for e, a in zip(expected, actual, strict=True)]


def test_text_is_equal_to_its_bytes() -> None:
    texts = np.array(["été", ""], object)
    assert not of(texts, np.array([t.encode() for t in texts], object)).rows.any()


def test_types_of_other_widths_are_compared_by_value() -> None:
    assert not of(np.array([1, 2], np.int64), np.array([1, 2], np.int32)).rows.any()
    assert not of(np.array([0.1], np.float64), np.array([0.1], np.float32)).rows.any()


@pytest.mark.parametrize(
    "scores, ties, wrong",
    [
        ([[0.500001, 0.499999], [0.9, 0.1]], 1, []),  # a tie: either label is right
        ([[0.6, 0.4], [0.9, 0.1]], 0, [0]),  # no tie: the label is wrong
    ],
)
def test_a_label_that_flips_is_judged_by_its_scores(
    scores: Any, ties: int, wrong: list[int]
) -> None:
    reference = {"label": np.array([0, 0]), "probability": np.array(scores, np.float32)}
    served = {"label": np.array([1, 0]), "probability": np.array(scores, np.float32)}
    comparison = compare(reference, served, TOLERANCE)
    assert comparison.ties == ties
    assert np.flatnonzero(comparison.rows).tolist() == wrong


def test_another_shape_is_refused_with_both() -> None:
    with pytest.raises(SlipwayError, match=r"'y' is \[2, 1\] in the framework, and \[2\] as"):
        of([[1.0], [2.0]], [1.0, 2.0])


def test_nothing_in_common_is_an_error_and_not_a_success() -> None:
    with pytest.raises(SlipwayError, match="no output can be compared"):
        compare({"a": np.zeros(1)}, {"b": np.zeros(1)}, TOLERANCE)


def test_an_output_that_nothing_here_computes_is_named() -> None:
    answers = {"y": np.zeros(2), "shap": np.zeros(2)}
    assert compare(answers, {"y": np.zeros(2)}, TOLERANCE).left_out == ("shap",)
