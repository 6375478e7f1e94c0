"""How plain values become tensors of the shape that a config declares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.model.interface import Interface, Tensor, as_array, blank_request

IMAGE = Tensor("BYTES", (1,))
NUMBERS = Tensor("FP32", (-1,))
PIXELS = Tensor("UINT8", (2, 2, 3))


@pytest.mark.parametrize(
    ("value", "declared", "batches", "shape"),
    [
        (b"x", IMAGE, True, (1, 1)),
        ("x", IMAGE, True, (1, 1)),
        ([b"x", b"y"], IMAGE, True, (2, 1)),
        ([[b"x"], [b"y"]], IMAGE, True, (2, 1)),
        (b"x", IMAGE, False, (1,)),
        (1.5, NUMBERS, True, (1, 1)),
        ([1, 2, 3], NUMBERS, False, (3,)),
        ([[1, 2, 3]], NUMBERS, True, (1, 3)),
        (np.zeros((2, 2, 3), np.uint8), PIXELS, True, (1, 2, 2, 3)),
        (np.zeros((5, 2, 2, 3), np.uint8), PIXELS, True, (5, 2, 2, 3)),
    ],
)
def test_sizes_of_one_may_be_left_out(
    value: Any, declared: Tensor, batches: bool, shape: tuple[int, ...]
) -> None:
    assert as_array("X", value, declared, batches).shape == shape


def test_what_can_be_read_in_two_ways_is_refused() -> None:
    with pytest.raises(SlipwayError, match=r"\(3,\) can mean \(1, 3\) or \(3, 1\)") as caught:
        as_array("X", [1, 2, 3], NUMBERS, True)
    assert caught.value.fix


def test_numbers_take_the_declared_type_and_arrays_keep_theirs() -> None:
    assert as_array("X", [[1]], NUMBERS, True).dtype == np.float32
    assert as_array("X", np.array([[1.0]]), NUMBERS, True).dtype == np.float64


def test_a_shape_that_does_not_fit_is_left_to_the_server_to_refuse() -> None:
    assert as_array("X", np.zeros((7, 7)), PIXELS, True).shape == (7, 7)


def test_a_value_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(SlipwayError, match="input 'X' is FP32"):
        as_array("X", "a word", NUMBERS, True)


def test_a_byte_that_is_zero_stays() -> None:
    assert as_array("X", b"a\0", IMAGE, True).tolist() == [[b"a\0"]]


def test_a_blank_request_of_optional_inputs_alone_has_them_all() -> None:
    columns = {"age": Tensor("FP32", (1,), True), "sex": Tensor("BYTES", (1,), True)}
    blank = blank_request(Interface(8, columns, {}))
    assert {name: array.tolist() for name, array in blank.items()} == {"age": [[0]], "sex": [[b""]]}
    some = Interface(8, columns | {"fare": Tensor("FP32", (1,))}, {})
    assert list(blank_request(some)) == ["fare"]
