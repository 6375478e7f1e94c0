"""Rows of a table: what each column adds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.explain.background import background_of_profile, stack_rows
from slipway.explain.explain import Options, explain
from slipway.model.interface import Interface, Tensor
from slipway.profile.profile import Profile, TensorProfile
from slipway.profile.sketch import CategorySketch, NumberSketch
from slipway.triton.datatypes import Array
from tests.explain.asked import COLUMNS, Asked, table, table_interface

WEIGHTS = np.array([2.0, -1.0, 0.5, 0.0])
ROW = np.array([1.0, 2.0, 3.0, 4.0])
BACKGROUND = np.array([[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])


def linear(rows: Array) -> Array:
    scores: Array = rows @ WEIGHTS + 10
    return scores


def test_a_linear_models_contributions_are_weight_times_distance_from_the_mean() -> None:
    found = explain(Asked(linear), table_interface(), table(ROW), background=table(BACKGROUND))
    assert (found.kind, found.method, found.is_exact) == ("row", "shapley", True)
    assert [part.name for part in found.parts] == list(COLUMNS)
    expected = WEIGHTS * (ROW - BACKGROUND.mean(axis=0))
    np.testing.assert_allclose([p.contribution for p in found.parts], expected, atol=1e-12)
    assert found.base == pytest.approx(linear(BACKGROUND).mean())
    assert found.base + sum(p.contribution for p in found.parts) == pytest.approx(found.answer)
    assert "what is left out has the values of 2 background rows" in found.statements


def test_requests_are_batches_and_no_more_than_were_allowed() -> None:
    names = tuple("abcdefghijklmnop")
    generator = np.random.default_rng(0)
    asked = Asked(lambda rows: np.tanh(rows).prod(axis=1) + np.maximum(rows[:, 0], rows[:, 1]))
    found = explain(
        asked,
        table_interface(names),
        table(generator.normal(size=16), names),
        background=table(generator.normal(size=(50, 16)), names),
        options=Options(requests=30),
    )
    assert found.requests == len(asked.batches) <= 30
    assert found.rows == sum(asked.batches)
    assert max(asked.batches) == 16
    assert not found.is_exact and found.largest_error > 0


def test_equal_seeds_give_equal_bytes() -> None:
    names = tuple("abcdefghijklmnop")
    generator = np.random.default_rng(0)
    row, usual = generator.normal(size=16), generator.normal(size=(9, 16))

    def dumped(seed: int) -> dict[str, object]:
        return explain(
            Asked(lambda rows: np.tanh(rows).prod(axis=1)),
            table_interface(names),
            table(row, names),
            background=table(usual, names),
            options=Options(seed=seed, requests=20),
        ).dump()

    assert dumped(1) == dumped(1) != dumped(2)


def test_without_background_rows_a_column_is_missing_where_the_model_takes_that() -> None:
    def of_known(rows: Array) -> Array:
        scores: Array = np.nansum(rows * WEIGHTS, axis=1)
        return scores

    row = table(ROW)
    found = explain(Asked(of_known), table_interface(optional=True), row)
    np.testing.assert_allclose([p.contribution for p in found.parts], WEIGHTS * ROW, atol=1e-12)
    assert found.base == 0
    assert "what is left out is missing, which the model takes" in found.statements
    with pytest.raises(SlipwayError, match="no background") as caught:
        explain(Asked(linear), table_interface(), row)
    assert "--background FILE" in (caught.value.fix or "")


def test_an_input_that_is_not_given_stays_so_and_is_said() -> None:
    row = table(ROW)
    del row["c"]
    interface = table_interface(optional=True)
    found = explain(Asked(lambda rows: np.nansum(rows, axis=1)), interface, row)
    assert [part.name for part in found.parts] == ["a", "b", "d"]
    assert "not given, and left so: c" in found.statements


def test_texts_are_columns_and_a_tensors_numbers_have_names() -> None:
    interface = Interface(
        8,
        {"sex": Tensor("BYTES", (1,)), "numbers": Tensor("FP32", (2,))},
        {"label": Tensor("BYTES", (1,)), "probability": Tensor("FP32", (2,))},
    )

    def ask(inputs: Mapping[str, Array]) -> dict[str, Array]:
        chance = 0.2 + 0.6 * (inputs["sex"][:, 0] == b"female") + 0.01 * inputs["numbers"][:, 1]
        both = np.column_stack([1 - chance, chance]).astype(np.float32)
        labels = np.where(chance > 0.5, b"survived", b"died").astype(object)
        return {"label": labels[:, None], "probability": both}

    def rows(sexes: list[bytes], numbers: list[list[float]]) -> dict[str, Array]:
        texts = np.array([[sex] for sex in sexes], dtype=object)
        return {"sex": texts, "numbers": np.array(numbers, np.float32)}

    found = explain(
        ask,
        interface,
        rows([b"female"], [[5, 9]]),
        background=rows([b"male", b"male"], [[5, 1], [5, 3]]),
        options=Options(columns=("fare", "age")),
    )
    assert (found.score, found.label) == ("probability[1]", "survived")
    by_name = {part.name: part for part in found.parts}
    assert by_name["sex"].value == "female"
    assert by_name["sex"].contribution == pytest.approx(0.6, abs=1e-6)
    assert by_name["age"].contribution == pytest.approx(0.07, abs=1e-6)
    assert by_name["fare"].contribution == 0
    with pytest.raises(SlipwayError, match="1 names of columns"):
        explain(ask, interface, rows([b"female"], [[5, 9]]), background=rows([b"m"], [[5, 1]]),
                options=Options(columns=("fare",)))  # fmt: skip


def test_leaving_out_one_column_is_the_fall_without_it() -> None:
    found = explain(
        Asked(lambda rows: rows[:, 0] * rows[:, 1]),
        table_interface(("a", "b")),
        table(np.array([2.0, 3.0]), ("a", "b")),
        background=table(np.array([[1.0, 1.0]]), ("a", "b")),
        options=Options(method="occlusion"),
    )
    assert [part.contribution for part in found.parts] == [3.0, 4.0]
    assert not found.adds_up


def test_a_model_that_answers_differently_each_time_is_noticed() -> None:
    generator = np.random.default_rng(0)
    found = explain(
        Asked(lambda rows: linear(rows) + generator.normal(size=len(rows))),
        table_interface(),
        table(ROW),
        background=table(BACKGROUND),
    )
    assert any("not deterministic" in statement for statement in found.statements)
    assert found.base + sum(p.contribution for p in found.parts) == pytest.approx(found.answer)


def test_several_rows_are_refused_and_too_few_requests_say_how_many_do() -> None:
    with pytest.raises(SlipwayError, match="2 rows"):
        explain(Asked(linear), table_interface(), table(BACKGROUND), background=table(BACKGROUND))
    names = tuple(f"n{number}" for number in range(60))
    many = {"row": np.ones(60), "usual": np.zeros((4, 60))}

    def ask(requests: int) -> int:
        return explain(
            Asked(lambda rows: rows.sum(axis=1)),
            table_interface(names),
            table(many["row"], names),
            background=table(many["usual"], names),
            options=Options(requests=requests),
        ).requests

    with pytest.raises(SlipwayError, match="too few") as caught:
        ask(5)
    needed = int((caught.value.fix or "").split()[1])
    assert ask(needed) <= needed


def test_what_a_model_refuses_with_parts_left_out_is_said_with_a_way_out() -> None:
    def picky(rows: Array) -> Array:
        if (rows[:, 0] == 0).any():
            raise SlipwayError("a is 0: never seen")
        return linear(rows)

    with pytest.raises(SlipwayError, match="a is 0: never seen") as caught:
        explain(Asked(picky), table_interface(), table(ROW), background=table(BACKGROUND))
    assert "--background FILE" in (caught.value.fix or "")
    with pytest.raises(SlipwayError, match="nan with parts left out"):
        explain(
            Asked(lambda rows: np.where(rows[:, 0] == 0, np.nan, rows[:, 1])),
            table_interface(),
            table(ROW),
            background=table(BACKGROUND),
        )


def test_background_rows_of_another_shape_are_refused() -> None:
    wrong = table(BACKGROUND)
    wrong["b"] = np.zeros((2, 3))
    with pytest.raises(SlipwayError, match="background rows have"):
        explain(Asked(linear), table_interface(), table(ROW), background=wrong)


def test_a_profile_gives_quantiles_and_frequent_values() -> None:
    ages = NumberSketch(8, 2, 10, 60, (10, 40, 60), (2, 2, 2), (30.0,), (2, 4))
    sexes = CategorySketch(8, 0, {"f": 2, "m": 6}, 0, 0, 2)
    profile = Profile(
        8,
        "rows",
        {
            "age": TensorProfile("numbers", "FP32", {"value": ages}),
            "sex": TensorProfile("categories", "BYTES", {"value": sexes}),
        },
        {},
    )
    row = {"age": np.array([30], np.float32), "sex": np.array([b"f"], dtype=object)}
    drawn = background_of_profile(profile, row, seed=1, count=8)
    assert drawn is not None
    assert sorted(drawn["sex"].ravel()) == [b"f"] * 2 + [b"m"] * 6
    assert np.isnan(drawn["age"]).sum() == 2
    assert set(drawn["age"][~np.isnan(drawn["age"])]) == {10, 40, 60}
    again = background_of_profile(profile, row, seed=1, count=8)
    assert again is not None and again["sex"].tolist() == drawn["sex"].tolist()
    assert background_of_profile(profile, {"fare": row["age"]}, seed=1) is None


def test_columns_of_a_profile_keep_their_numbers_order() -> None:
    # as a file has them: sorted by name, 10 before 2
    series = {
        str(n): NumberSketch(2, 0, n, n, (float(n),), (2,), (), (2,))
        for n in sorted(range(12), key=str)
    }
    profile = Profile(2, "rows", {"x": TensorProfile("numbers", "FP32", series)}, {})
    drawn = background_of_profile(profile, {"x": np.zeros(12, np.float32)}, seed=1, count=2)
    assert drawn is not None and drawn["x"].tolist() == [list(range(12))] * 2
    both = {"a": series["1"], "b": series["2"]}
    named = Profile(2, "rows", {"x": TensorProfile("numbers", "FP32", both)}, {})
    assert background_of_profile(named, {"x": np.zeros(2, np.float32)}, seed=1) is None


def test_requests_without_the_rows_inputs_are_no_background() -> None:
    row = {"a": np.ones(1), "b": np.ones(1)}
    whole = {"a": np.zeros((2, 1)), "b": np.zeros((2, 1)), "c": np.zeros((2, 1))}
    stacked = stack_rows([whole, {"a": np.zeros((3, 1))}], row)
    assert stacked is not None and {n: len(a) for n, a in stacked.items()} == {"a": 2, "b": 2}
    assert stack_rows([{"a": np.zeros((3, 1))}], row) is None
