"""Test what applications rely on; the golden case in cases/ contains an exact answer."""

from pathlib import Path

import numpy as np

from slipway.testing import Model, golden

REQUEST = golden.inputs(Path(__file__).parent / "cases/reference")
# type and shape of each output for that request
ANSWER = {
    "label": ("object", (8, 1)),
    "probability": ("float32", (8, 2)),
}


def test_every_output_has_its_type_and_shape(model: Model) -> None:
    answer = model(REQUEST)
    assert {name: (str(a.dtype), a.shape) for name, a in answer.items()} == ANSWER


# what a column counts as that is left out
MISSING = {
    "sex": b"",
    "age": np.nan,
    "class": b"",
    "embarked": b"",
    "fare": np.nan,
    "sibsp": np.nan,
    "parch": np.nan,
}


def test_a_column_that_is_left_out_is_filled_in(model: Model) -> None:
    for name, missing in MISSING.items():
        without = {other: value for other, value in REQUEST.items() if other != name}
        if not without:
            continue  # a row needs one column at least
        filled = model(REQUEST | {name: np.full_like(REQUEST[name], missing)})
        for output, array in model(without).items():
            np.testing.assert_array_equal(array, filled[output])


def test_a_row_does_not_depend_on_the_rest_of_its_batch(model: Model) -> None:
    alone = model(REQUEST)
    twice = model({name: np.concatenate([rows, rows]) for name, rows in REQUEST.items()})
    for name, rows in alone.items():
        both = np.concatenate([rows, rows])
        if rows.dtype.kind == "f":
            np.testing.assert_allclose(twice[name], both, rtol=1e-3, atol=1e-4)
        else:
            np.testing.assert_array_equal(twice[name], both)
