"""Values become tensors, or are refused before anything is sent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from slipway.client import request
from slipway.endpoint.protocol import LARGEST_BODY
from slipway.errors import SlipwayError
from slipway.model.interface import Interface, Tensor
from slipway.triton.datatypes import Array, numpy_type

NUMBERS = ["INT8", "INT64", "UINT8", "UINT64", "FP16", "FP32", "FP64"]


def of(datatype: str, *dims: int, batch: int = 0) -> Interface:
    """Return an interface with one input, ``X``."""
    return Interface(batch, {"X": Tensor(datatype, dims)}, {})


def fit(interface: Interface, value: Any) -> Array:
    """Return ``value`` as the tensor ``X``."""
    return request.fit(interface, {"X": value}, name="m")["X"]


def refusal(interface: Interface, inputs: dict[str, Any]) -> str:
    """Return the error message for ``inputs``; it always has a fix."""
    with pytest.raises(SlipwayError) as caught:
        request.fit(interface, inputs, name="m")
    assert caught.value.fix
    return str(caught.value)


@pytest.mark.parametrize(
    ("interface", "value", "expected"),
    [
        (of("FP32", 1), 7, np.array([7], np.float32)),
        (of("FP32", 1, batch=8), 7, np.array([[7]], np.float32)),
        (of("FP32", 1, batch=8), [7, 8], np.array([[7], [8]], np.float32)),
        (of("FP32", 2, batch=8), [7, 8], np.array([[7, 8]], np.float32)),
        (of("INT64", -1), [2**62], np.array([2**62])),
        (of("UINT64", -1), [2**64 - 1], np.array([2**64 - 1], np.uint64)),
        (of("BOOL", 1), True, np.array([True])),
        (of("FP32", -1), [], np.array([], np.float32)),
        (of("FP32", 1), float("inf"), np.array([np.inf], np.float32)),
        (of("FP32", 1), np.float64(0.5), np.array([0.5], np.float32)),
    ],
)
def test_plain_values_take_the_declared_type_and_shape(
    interface: Interface, value: Any, expected: Array
) -> None:
    array = fit(interface, value)
    assert array.dtype == expected.dtype and array.shape == expected.shape
    np.testing.assert_array_equal(array, expected)


def test_strings_and_bytes_become_bytes_in_rows() -> None:
    array = fit(of("BYTES", 1, batch=4), ["h\u00e9", b"\xff\0"])
    assert array.tolist() == [["h\u00e9".encode()], [b"\xff\0"]]
    assert fit(of("BYTES", 1), np.array(["h\u00e9"])).tolist() == ["h\u00e9".encode()]
    assert fit(of("BYTES", 1), np.array([b"x"])).tolist() == [b"x"]


@pytest.mark.parametrize(
    ("interface", "value", "message"),
    [
        (of("INT32", 1), 1.7, "whole numbers, not 1.7"),
        (of("UINT8", 1), 300, "too large or too small"),
        (of("UINT8", 1), [-1], "too large or too small"),
        (of("INT64", 1), 2**70, "too large or too small"),
        (of("INT32", 1), True, "whole numbers, not True"),
        (of("FP32", 1), "1.5", "numbers, not '1.5'"),
        (of("FP32", 2), [1.5, "x"], "numbers, not 'x'"),
        (of("FP32", 1), 1e40, "too large for it"),
        (of("FP16", 2), [1, 1e5], "too large for it"),
        (of("FP32", 2, 2), [[1, 2], [3]], "not an array of numbers"),
        (of("BOOL", 1), 1, "true or false, not 1"),
        (of("BYTES", 1), 7, "strings or bytes, not 7"),
        (of("BYTES", 2), ["a", None], "has no value for null"),
        (of("BYTES", 1), "\udcff", "not valid Unicode"),
        (of("FP32", 1), np.array([1]), "the array is INT64 (int64)"),
        (of("INT64", 1), np.array([1], np.int32), "the array is INT32 (int32)"),
        (of("BYTES", 1), np.array([1]), "the array is INT64 (int64)"),
        (of("FP32", 3), [1, 2], "has the shape [2], not [3]"),
        (of("FP32", 3, batch=8), [[1, 2]], "has the shape [1, 2], not [batch, 3]"),
        (of("FP32", 2, -1), [1, 2, 3], "has the shape [3], not [2, any]"),
        (of("FP32", -1, batch=8), [1, 2], "can mean (1, 2) or (2, 1)"),
        (of("FP32", 1, batch=2), [1, 2, 3], "3 rows, and m accepts 1 to 2"),
        (of("FP32", 1, batch=2), np.zeros((0, 1), np.float32), "0 rows"),
        (of("FP32", 1), np.zeros((1, 1), np.float32), "has the shape [1, 1], not [1]"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_the_reason(
    interface: Interface, value: Any, message: str
) -> None:
    text = refusal(interface, {"X": value})
    assert message in text
    assert message.endswith("rows") or "rows" in message or "'X'" in text


def test_unknown_and_missing_inputs_are_named() -> None:
    interface = Interface(
        0,
        {"IMAGE": Tensor("BYTES", (1,)), "SIZE": Tensor("INT32", (2,), optional=True)},
        {},
    )
    assert "no input 'image'" in (message := refusal(interface, {"image": b"x"}))
    assert "did you mean IMAGE?" in message
    message = refusal(interface, {"SIZE": [1, 2]})
    assert "m needs 'IMAGE'" in message and "SIZE INT32 [2] (optional)" in message
    assert "needs 'IMAGE'" in refusal(interface, {"IMAGE": None})
    assert "its inputs: 'IMAGE', 'SIZE'" in refusal(interface, {"temperature": 1, "IMAGE": b""})
    assert list(request.fit(interface, {"IMAGE": b"x", "SIZE": None}, name="m")) == ["IMAGE"]


def test_inputs_must_have_equal_numbers_of_rows() -> None:
    interface = Interface(8, {"A": Tensor("FP32", (1,)), "B": Tensor("FP32", (1,))}, {})
    assert "A 2, B 1" in refusal(interface, {"A": [1, 2], "B": [1]})


def test_a_body_too_large_for_sagemaker_is_refused_with_the_number_of_rows_that_fit() -> None:
    interface = of("BYTES", 1, batch=16)
    arrays = {"X": np.zeros((8, 1), object)}
    request.check_size(bytes(LARGEST_BODY), arrays, interface)
    with pytest.raises(SlipwayError, match="6,291,457 bytes.*\nfix: .*7 of the 8 rows"):
        request.check_size(bytes(LARGEST_BODY + 1), arrays, interface)
    with pytest.raises(SlipwayError, match="fix: make it smaller"):
        request.check_size(bytes(LARGEST_BODY + 1), {}, of("BYTES", 1))


@given(st.data())
def test_an_array_of_the_declared_type_is_sent_unchanged(data: st.DataObject) -> None:
    datatype = data.draw(st.sampled_from([*NUMBERS, "BOOL"]))
    shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=4, max_side=4))
    array = data.draw(hnp.arrays(numpy_type(datatype), shape))
    interface = of(datatype, *shape[1:], batch=4)
    assert fit(interface, array) is array


@given(st.data())
def test_a_plain_list_equals_its_array_or_is_refused(data: st.DataObject) -> None:
    datatype = data.draw(st.sampled_from([*NUMBERS, "BOOL"]))
    values = data.draw(
        st.lists(
            st.one_of(st.booleans(), st.integers(), st.floats(), st.none(), st.text(max_size=2)),
            min_size=1,
            max_size=3,
        )
    )
    try:
        array = fit(of(datatype, -1), values)
    except SlipwayError:
        return
    for value, element in zip(values, array.tolist(), strict=True):
        # nothing was bent: the same number, within what the type tells apart
        np.testing.assert_allclose(
            np.float64(element), np.float64(value), rtol=1e-3, atol=1e-4, equal_nan=True
        )
