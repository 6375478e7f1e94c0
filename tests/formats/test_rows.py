"""Reference rows that are drawn: within what the training has seen, and the same each time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from slipway.formats.format import Array, Feature, Tensor
from slipway.formats.rows import BEYOND, COUNT, answer_in_batches, draw

numbers = st.floats(-1e6, 1e6, allow_nan=False, width=32)
features = st.builds(
    lambda name, ends, integer, missing: Feature(
        name, min(ends), max(ends), integer=integer, missing=missing
    ),
    st.text(min_size=1, max_size=5),
    st.tuples(numbers, numbers),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(features, min_size=1, max_size=4), st.integers(0, 9))
def test_a_column_stays_near_its_range_and_lacks_only_what_may_be_missing(
    columns: list[Feature], seed: int
) -> None:
    tensor = Tensor("table", "FP64", (len(columns),), tuple(columns))
    (rows,) = draw([tensor], seed).values()

    assert rows.shape == (COUNT, len(columns))
    for at, feature in enumerate(columns):
        column = rows[:, at]
        known = column[~np.isnan(column)]
        beyond = (feature.high - feature.low) * BEYOND * 1.001 + 1
        assert known.min() >= feature.low - beyond and known.max() <= feature.high + beyond
        assert np.isnan(column).any() == feature.missing
        if feature.integer:
            assert (known == known.round()).all()


@given(st.lists(features, min_size=1, max_size=4), st.integers(0, 9))
def test_equal_seeds_draw_equal_rows(columns: list[Feature], seed: int) -> None:
    tensor = Tensor("table", "FP32", (len(columns),), tuple(columns))
    first, second = draw([tensor], seed)["table"], draw([tensor], seed)["table"]
    assert np.array_equal(first, second, equal_nan=True)


def test_the_first_rows_are_the_middle_both_ends_and_nothing() -> None:
    tensor = Tensor("table", "FP32", (1,), (Feature("age", 0, 80, missing=True),))
    rows = draw([tensor], 1)["table"][:4, 0]
    expected = np.array([40, 0, 80, np.nan])
    known = ~np.isnan(rows)
    assert known.sum() >= 1 and np.isnan(rows[3])
    assert np.array_equal(rows[known], expected[known])


def test_categories_and_texts_are_those_of_the_training() -> None:
    tensors = [
        Tensor("sex", "BYTES", (1,), (Feature("sex", values=("male", "female"), missing=True),)),
        Tensor("code", "INT64", (1,), (Feature("code", values=(3, 7)),)),
    ]
    rows = draw(tensors, 0)
    assert set(rows["sex"].ravel()) == {"male", "female", ""}
    assert set(rows["code"].ravel()) == {3, 7} and rows["code"].dtype == np.int64


def test_a_text_of_which_nothing_is_known_has_what_converters_get_wrong() -> None:
    texts = set(draw([Tensor("text", "BYTES", ())], 0)["text"])
    assert {"C3PO met R2D2", "ÉTÉ à Paris", ""} <= texts


def test_an_image_has_few_rows_and_a_free_dimension_a_size() -> None:
    image = Tensor("image", "FP32", (3, -1, 512), example=(3, 512, 512))
    assert draw([image], 0)["image"].shape == (4, 3, 512, 512)
    assert draw([Tensor("x", "UINT8", (-1,))], 0)["x"].shape == (COUNT, 8)


def test_all_inputs_have_equally_many_rows() -> None:
    tensors = [Tensor("image", "FP32", (3, 200, 200)), Tensor("age", "FP32", (1,))]
    assert {len(array) for array in draw(tensors, 0).values()} == {8}


@given(st.integers(1, 40), st.integers(0, 9))
def test_rows_are_answered_in_order_the_first_alone(count: int, batch: int) -> None:
    sizes: list[int] = []

    def answer(part: dict[str, Array]) -> dict[str, Array]:
        sizes.append(len(part["x"]) if batch else -1)
        return {"y": part["x"] * 2}

    rows: dict[str, Array] = {"x": np.arange(count)}
    assert np.array_equal(answer_in_batches(answer, rows, batch)["y"], rows["x"] * 2)
    assert batch == 0 or (sizes[0] == 1 and max(sizes) <= max(batch, 1))
