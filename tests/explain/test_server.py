"""Contributions that the model itself answers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.explain.explain import Options, explain
from slipway.explain.explanation import Explanation
from slipway.model.interface import Interface, Tensor
from slipway.triton.datatypes import Array

INPUTS = {"a": Tensor("FP32", (1,)), "b": Tensor("FP32", (1,), True)}
ROW = {"a": np.array([[2.0]], np.float32)}
USUAL = {"a": np.zeros((2, 1), np.float32)}


def forest(shap: Array, probability: Array) -> tuple[Interface, dict[str, Array]]:
    """Return the interface and the answer of a model with SHAP values."""
    outputs = {
        "probability": Tensor("FP32", probability.shape),
        "treeshap_output": Tensor("FP32", shap.shape),
    }
    answer = {"probability": probability[None], "treeshap_output": shap[None]}
    return Interface(16, INPUTS, outputs), answer


def explained(shap: Array, probability: Array, **options: str) -> Explanation:
    interface, answer = forest(shap.astype(np.float32), probability.astype(np.float32))

    def ask(inputs: Mapping[str, Array]) -> dict[str, Array]:
        rows = len(inputs["a"])
        return {name: np.repeat(array, rows, axis=0) for name, array in answer.items()}

    return explain(ask, interface, ROW, background=USUAL, options=Options(**options))  # type: ignore[arg-type]


def sigmoid(margin: float) -> float:
    return float(1 / (1 + np.exp(-margin)))


def both(margin: float) -> Array:
    return np.array([1 - sigmoid(margin), sigmoid(margin)])


def test_those_of_a_binary_model_are_of_its_margin_and_exact() -> None:
    found = explained(np.array([1.5, -0.25, 0.5]), both(1.75))
    assert (found.method, found.is_exact, found.requests) == ("server", True, 2)
    assert [(p.name, p.value, p.contribution) for p in found.parts] == [
        ("a", "2", 1.5),
        ("b", "not given", -0.25),
    ]
    assert (found.base, found.answer) == (0.5, 1.75)
    assert found.score == "margin of probability[1]"
    assert any("the sigmoid of the margin is 0.85" in s for s in found.statements)


def test_those_for_label_0_have_the_signs_turned() -> None:
    found = explained(np.array([-1.5, 0.25, -0.5]), both(-1.75))
    assert found.score.startswith("margin of probability[0]")
    assert [p.contribution for p in found.parts] == [1.5, -0.25]
    assert found.answer == 1.75


def test_those_of_several_classes_are_the_winning_labels() -> None:
    shap = np.array([[0.0, 0.0, 0.1], [1.0, 0.5, 0.0], [0.0, 0.2, 0.0]])
    margins = np.exp(shap.sum(axis=1))
    found = explained(shap, margins / margins.sum())
    assert [p.contribution for p in found.parts] == [1.0, 0.5]
    assert any("the softmax of all margins is" in s for s in found.statements)
    loser = explained(shap, margins / margins.sum(), label="2")
    assert [p.contribution for p in loser.parts] == pytest.approx([0.0, 0.2])


def test_those_of_a_regression_are_of_the_number_itself() -> None:
    found = explained(np.array([1.0, 2.0, 3.0]), np.array([6.0]))
    assert (found.score, found.base, found.answer) == ("probability", 3.0, 6.0)


def test_those_that_do_not_add_up_to_the_answer_are_not_used_and_that_is_said() -> None:
    found = explained(np.array([9.0, 2.0, 3.0]), np.array([6.0]))
    assert found.method == "shapley"
    assert any("does not add up to probability: not used" in s for s in found.statements)


def test_without_any_the_wish_for_them_is_refused() -> None:
    interface = Interface(16, INPUTS, {"score": Tensor("FP32", (1,))})
    with pytest.raises(SlipwayError, match="answers no contributions") as caught:
        explain(
            lambda inputs: {"score": np.ones((len(inputs["a"]), 1), np.float32)},
            interface,
            ROW,
            options=Options(method="server"),
        )
    assert "--method shapley" in (caught.value.fix or "")
