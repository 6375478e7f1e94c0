"""Test what applications rely on; the golden cases hold XGBoost's own answers to real customers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slipway.testing import InferenceError, Model, golden

REQUEST = golden.inputs(Path(__file__).parent / "cases/reference")
NEW = {"tenure": 1, "Contract": b"Month-to-month", "InternetService": b"Fiber optic"}
LOYAL = {"tenure": 70, "Contract": b"Two year", "InternetService": b"DSL"}


def rows_of(*customers: dict[str, Any]) -> dict[str, Any]:
    return {
        name: np.array(
            [[customer[name]] for customer in customers],
            dtype=object if isinstance(customers[0][name], bytes) else np.float32,
        )
        for name in customers[0]
    }


def test_a_new_customer_leaves_sooner_than_one_of_six_years(model: Model) -> None:
    probability = model(rows_of(NEW, LOYAL))["probability"]
    assert probability[0, 1] > 0.5 > 0.1 > probability[1, 1]


def test_contributions_and_bias_add_up_to_the_probability(model: Model) -> None:
    answer = model(REQUEST)
    margin = answer["contributions"].sum(axis=1)
    np.testing.assert_allclose(answer["probability"][:, 1], 1 / (1 + np.exp(-margin)), atol=1e-5)


def test_the_first_reason_is_the_feature_that_decides_most(model: Model) -> None:
    answer = model(REQUEST)
    columns = [name.encode() for name in REQUEST]
    for row, reasons, churn in zip(
        answer["contributions"], answer["reasons"], answer["probability"][:, 1], strict=True
    ):
        towards = row[:-1] if churn > 0.5 else -row[:-1]
        assert reasons[0] == columns[int(towards.argmax())]


def test_a_missing_total_is_answered(model: Model) -> None:
    charges = np.array([[np.nan]], dtype=np.float32)
    first = model(rows_of(NEW) | {"TotalCharges": charges})
    np.testing.assert_array_equal(first["probability"], model(rows_of(NEW))["probability"])


def test_an_unknown_category_is_refused_with_those_that_are_known(model: Model) -> None:
    with pytest.raises(InferenceError, match="Contract is 'Weekly': one of Month-to-month"):
        model(rows_of(NEW | {"Contract": b"Weekly"}))


def test_a_row_does_not_depend_on_the_rest_of_its_batch(model: Model) -> None:
    alone = model(REQUEST)
    twice = model({name: np.concatenate([rows, rows]) for name, rows in REQUEST.items()})
    for name, rows in alone.items():
        both = np.concatenate([rows, rows])
        if rows.dtype.kind == "f":
            np.testing.assert_allclose(twice[name], both, rtol=1e-3, atol=1e-4)
        else:
            np.testing.assert_array_equal(twice[name], both)
