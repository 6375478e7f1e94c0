"""Profiles: what they recognise, what they keep of rows, and what they never keep."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.errors import SlipwayError
from slipway.profile.build import build_profile
from slipway.profile.describe import describe_sketch
from slipway.profile.make_sketch import name_of, sketch_categories, sketch_numbers
from slipway.profile.of_folder import read_profile_file
from slipway.profile.profile import Profile, load_profile
from slipway.profile.sketch import CategorySketch, NumberSketch
from slipway.profile.texts import familiarity
from slipway.triton.datatypes import Array
from tests.profile import tensors

FINITE = st.floats(allow_nan=True, allow_infinity=True, width=32)


def profiled(inputs: dict[str, Array], **options: object) -> Profile:
    return build_profile(inputs, {}, source="rows.csv", **options)  # type: ignore[arg-type]


def numbers_of(profile: Profile, tensor: str, series: str = "value") -> NumberSketch:
    sketch = profile.inputs[tensor].series[series]
    assert isinstance(sketch, NumberSketch)
    return sketch


def test_the_kind_of_a_tensor_is_recognised_by_its_type_shape_and_values() -> None:
    made = profiled({**tensors.everything(400), "photo": tensors.pictures(30)})
    assert {name: tensor.kind for name, tensor in made.inputs.items()} == {
        "length": "numbers",
        "colour": "categories",
        "remark": "texts",
        "class": "scores",
        "rooms": "categories",
        "signal": "arrays",
        "photo": "images",
    }
    assert list(made.inputs["class"].series) == ["label", "score"]
    assert "sharpness" in made.inputs["photo"].series


@pytest.mark.parametrize("shape", [(3, 32, 40), (32, 40, 3), (1, 16, 16)])
def test_pixels_are_images_with_their_channels_first_or_last(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (20, *shape)).astype(np.uint8)
    series = profiled({"PIXELS": pixels}).inputs["PIXELS"].series
    width = series["width"]
    assert isinstance(width, NumberSketch) and width.low == (40 if 40 in shape else 16)


def test_a_kind_that_is_given_is_taken() -> None:
    made = profiled({"rooms": np.array([[1], [2]] * 50)}, kinds={"rooms": "numbers"})
    assert made.inputs["rooms"].kind == "numbers"


def test_a_kind_that_does_not_fit_names_the_tensor() -> None:
    with pytest.raises(SlipwayError, match="cannot be profiled as numbers") as refused:
        profiled({"colour": tensors.names(50)}, kinds={"colour": "numbers"})
    assert refused.value.where == "tensor colour"
    assert profiled({"colour": tensors.names(50)}).inputs["colour"].kind == "categories"


def test_a_kind_of_an_unknown_tensor_is_refused() -> None:
    with pytest.raises(SlipwayError, match="not a tensor of the model"):
        profiled({"colour": tensors.names(50)}, kinds={"color": "texts"})


def test_columns_of_a_tensor_have_the_names_that_are_given() -> None:
    rows = np.random.default_rng(1).normal(size=(50, 2))
    assert list(profiled({"x": rows}, columns={"x": ("age", "fare")}).inputs["x"].series) == [
        "age",
        "fare",
    ]
    assert list(profiled({"x": rows}).inputs["x"].series) == ["0", "1"]


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(60)))
def test_the_order_of_the_rows_does_not_matter(order: list[int]) -> None:
    rows = tensors.everything(60)
    moved = {name: array[order] for name, array in rows.items()}
    assert profiled(moved).dump() == profiled(rows).dump()


def test_a_profile_is_read_as_it_was_written_and_has_kilobytes() -> None:
    made = profiled(tensors.everything(2000))
    data = made.dump()
    assert load_profile(data, where="here") == made
    assert len(data) < 40_000
    assert load_profile(data, where="here").dump() == data


@settings(max_examples=50, deadline=None)
@given(st.lists(FINITE, max_size=80))
def test_every_number_is_counted_once_in_groups_and_in_bins(values: list[float]) -> None:
    sketch = sketch_numbers(np.array(values, np.float64), 5)
    finite = np.array([v for v in values if np.isfinite(v)])
    assert sum(sketch.counts) == sum(sketch.bins) == len(finite)
    assert sketch.missing == len(values) - len(finite)
    if len(finite):
        assert (sketch.low, sketch.high) == (finite.min(), finite.max())
        # a bin holds what is above its lower edge, and at most its upper one
        codes = np.searchsorted(sketch.edges, finite, side="left")
        assert np.bincount(codes, minlength=len(sketch.bins)).tolist() == list(sketch.bins)
    if len(finite) >= 10:
        assert min(sketch.counts) >= 5 or len(sketch.counts) == 1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", "dd", "e", ""]), max_size=60), st.integers(2, 6))
def test_values_that_few_rows_have_are_counted_and_not_named(values: list[str], least: int) -> None:
    sketch = sketch_categories(values, least)
    assert all(values.count(name) == count >= least for name, count in sketch.values.items())
    assert sketch.missing + sum(sketch.values.values()) + sketch.other == len(values)


def test_no_text_of_few_rows_is_in_the_file() -> None:
    secret = [f"person{number}@example.org".encode() for number in range(4)]
    rows = tensors.objects([b"yes"] * 50 + [b"no"] * 46 + secret)
    remarks = tensors.objects([b"fine weather"] * 96 + [text + b" zq" for text in secret])
    data = profiled({"answer": rows, "remark": remarks}, kinds={"remark": "texts"}).dump()
    assert b"fine weather" in data and b"yes" in data
    assert b"person" not in data and b"example" not in data and b'"zq' not in data


def test_the_only_numbers_of_single_rows_are_the_ends_of_the_range() -> None:
    values = np.array([[1.25], [2.5], [3.75], [1e6 + 0.5], *[[2.0]] * 40])
    sketch = numbers_of(profiled({"x": values}), "x")
    assert sketch.high == 1e6 + 0.5 and sketch.low == 1.25
    assert 2.5 not in sketch.means and min(sketch.counts) >= 4


def test_a_long_or_binary_value_is_named_by_its_digest() -> None:
    assert name_of(b"short") == "short"
    assert name_of("x" * 49).startswith("sha256:") and name_of(b"\xff\xfe").startswith("sha256:")
    assert name_of(float("nan")) == name_of(None) == ""


def test_few_rows_are_noted() -> None:
    assert "few" in profiled({"x": tensors.numbers(20)}).notes[0]
    assert profiled({"x": tensors.numbers(400)}).notes == ()


@pytest.mark.parametrize("value", ["constant", "missing", "infinite"])
def test_columns_without_any_spread_are_profiled(value: str) -> None:
    number = {"constant": 3.0, "missing": np.nan, "infinite": np.inf}[value]
    made = profiled({"x": np.full((100, 1), number)})
    sketch = numbers_of(load_profile(made.dump(), where="here"), "x")
    assert sketch.missing == (0 if value == "constant" else 100)
    assert describe_sketch(sketch) == ("3 to 3, median 3" if value == "constant" else "no number")


def test_rows_of_several_shapes_are_one_tensor() -> None:
    blocks = [np.ones((3, 5), np.float32), np.ones((4, 7), np.float32)]
    made = build_profile({"x": blocks}, {}, source="s", kinds={"x": "arrays"})
    assert made.rows == 7 and numbers_of(made, "x", "size").high == 7


def test_no_rows_are_an_error() -> None:
    with pytest.raises(SlipwayError, match="no rows"):
        profiled({"x": np.zeros((0, 1))})


def test_a_picture_that_does_not_decode_is_missing() -> None:
    made = profiled({"p": np.concatenate([tensors.pictures(9), tensors.objects([b"not one"])])})
    assert numbers_of(made, "p", "brightness").missing == 1


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda data: data[:-30],
    "another format": lambda data: data.replace(b'"format": 1', b'"format": 99'),
    "a count of text": lambda data: data.replace(b'"rows": 400', b'"rows": "400"', 1),
    "counts that do not add up": lambda data: data.replace(b'"missing": 0', b'"missing": 1', 1),
    "an unknown kind": lambda data: data.replace(b'"numbers"', b'"numerals"'),
    "a list": lambda data: b"[]",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_profile_is_refused_with_its_place(damage: str, tmp_path: Path) -> None:
    data = profiled({"x": tensors.numbers(400)}).dump()
    assert read_profile_file(tmp_path) is None
    (tmp_path / "profile.json").write_bytes(DAMAGES[damage](data))
    with pytest.raises(SlipwayError) as refused:
        read_profile_file(tmp_path)
    assert str(tmp_path / "profile.json") in str(refused.value)
    assert "slipway profile NAME --rows FILE" in str(refused.value.fix)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_is_changed_in_the_file_is_read_or_refused(data: st.DataObject) -> None:
    values = json.loads(profiled({"x": tensors.numbers(60), "c": tensors.names(60)}).dump())
    place = values
    while isinstance(place, dict) and place:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or data.draw(st.booleans()):
            place[key] = data.draw(st.sampled_from([None, -1, 3.5, "x", [], {}, [1, "a"], True]))
            break
        place = place[key]
    try:
        loaded = load_profile(json.dumps(values).encode(), where="here")
    except SlipwayError:
        return
    loaded.dump()


def test_a_category_sketch_describes_its_values() -> None:
    sketch = CategorySketch(100, 10, {"red": 60, "green": 30}, 0, 0, 2)
    assert describe_sketch(sketch) == "red 60%, green 30%; 10.0% missing"


def test_texts_that_come_again_are_as_familiar_in_a_window_as_in_the_reference() -> None:
    few = tensors.objects([b"late payment", b"no contract", b"new customer"] * 200)
    made = profiled({"reason": few}, kinds={"reason": "texts"})
    window = familiarity(["late payment", "new customer"], made.inputs["reason"].pairs)
    sketch = numbers_of(made, "reason", "familiarity")
    assert sketch.low is not None and sketch.high is not None
    assert all(sketch.low <= score <= sketch.high for score in window)


def test_a_text_of_rare_pairs_is_less_familiar() -> None:
    texts = tensors.objects([b"the usual words"] * 50 + [b"zyxw vuts"])
    pairs = profiled({"t": texts}, kinds={"t": "texts"}).inputs["t"].pairs
    usual, rare = familiarity(["the usual words", "zyxw vuts"], pairs)
    assert rare < usual - 2
