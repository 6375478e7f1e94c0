"""Test what applications rely on; the golden case in cases/ contains an exact answer."""

from pathlib import Path

import numpy as np
import pytest

from slipway.testing import InferenceError, Model, golden

REQUEST = golden.inputs(Path(__file__).parent / "cases/reference")
# type and shape of each output for that request
ANSWER = {
    "label": ("object", (8, 1)),
    "probability": ("float32", (8, 2)),
}


def test_every_output_has_its_type_and_shape(model: Model) -> None:
    answer = model(REQUEST)
    assert {name: (str(a.dtype), a.shape) for name, a in answer.items()} == ANSWER


def test_a_request_without_an_input_is_refused(model: Model) -> None:
    for name in REQUEST:
        with pytest.raises(InferenceError, match="input"):
            model({other: value for other, value in REQUEST.items() if other != name})
    assert model(REQUEST).keys() == ANSWER.keys()


def test_a_row_does_not_depend_on_the_rest_of_its_batch(model: Model) -> None:
    alone = model(REQUEST)
    twice = model({name: np.concatenate([rows, rows]) for name, rows in REQUEST.items()})
    for name, rows in alone.items():
        both = np.concatenate([rows, rows])
        if rows.dtype.kind == "f":
            np.testing.assert_allclose(twice[name], both, rtol=1e-3, atol=1e-4)
        else:
            np.testing.assert_array_equal(twice[name], both)


def test_capitals_with_accents_and_negations_count(model: Model) -> None:
    def positive(text: str) -> float:
        return float(
            model({"text": np.array([[text.encode()]], dtype=object)})["probability"][0, 1]
        )

    assert positive("un film excellent") > 0.8 > 0.5 > positive("un film pas excellent")
    assert positive("GÉNIALE") == positive("géniale") > 0.5
    assert positive("la table") == 0.5
