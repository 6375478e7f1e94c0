"""Requests and responses, compared with those of NVIDIA's own client."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import np_to_triton_dtype

from slipway.errors import SlipwayError
from slipway.triton import kserve
from slipway.triton.datatypes import NUMPY_TYPES, Array, datatype_of
from slipway.triton.kserve import BINARY

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)
NUMBERS = st.sampled_from([kind for name, kind in NUMPY_TYPES.items() if name != "BYTES"]).flatmap(
    lambda kind: hnp.arrays(kind, SHAPES)
)
STRINGS = hnp.arrays(object, SHAPES, elements=st.binary(max_size=9) | st.text(max_size=9))
NAMES = st.from_regex(r"[\w.-]{1,8}", fullmatch=True, alphabet=st.characters(codec="ascii"))


def nvidia(inputs: dict[str, Array], **options: Any) -> tuple[bytes, int]:
    """The request of tritonclient, and the length of its header."""
    tensors = []
    for name, array in inputs.items():
        tensor = InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
        tensors.append(tensor.set_data_from_numpy(array))
    body, header = InferenceServerClient.generate_request_body(tensors, **options)
    return body, len(body) if header is None else header


@given(st.dictionaries(NAMES, NUMBERS | STRINGS, max_size=3))
def test_a_request_has_the_bytes_of_nvidias_client(inputs: dict[str, Array]) -> None:
    body, header = nvidia(inputs)
    assert kserve.encode(inputs) == (body, f"{BINARY}{header}")


def test_outputs_are_asked_for_as_json_as_nvidias_client_does() -> None:
    inputs = {"X": np.ones((1, 2), np.float32)}
    asked = [InferRequestedOutput(name, binary_data=False) for name in ("A", "B")]
    body, header = nvidia(inputs, outputs=asked)
    assert kserve.encode(inputs, as_json=["A", "B"]) == (body, f"{BINARY}{header}")


@given(st.dictionaries(NAMES, NUMBERS | STRINGS, min_size=1, max_size=3))
def test_a_response_is_read_as_nvidias_client_reads_it(outputs: dict[str, Array]) -> None:
    # a request is made like a response, but for the list's name
    body, content_type = kserve.encode(outputs)
    size = int(content_type.removeprefix(BINARY))
    header = json.dumps({"outputs": json.loads(body[:size])["inputs"]}).encode()
    response = header + body[size:]
    theirs = InferenceServerClient.parse_response_body(response, header_length=len(header))
    for name, array in kserve.decode(response, f"{BINARY}{len(header)}").items():
        expected = theirs.as_numpy(name)
        assert (array.dtype, array.shape) == (expected.dtype, expected.shape)
        np.testing.assert_array_equal(array, expected)


def test_outputs_in_json_are_read() -> None:
    outputs = [
        {"name": "LABEL", "datatype": "BYTES", "shape": [2, 1], "data": ["a", "b"]},
        {"name": "SCORE", "datatype": "FP32", "shape": [2], "data": [0.5, 1]},
    ]
    answer = kserve.decode(json.dumps({"outputs": outputs}).encode(), "application/json")
    assert answer["LABEL"].tolist() == [["a"], ["b"]]
    assert answer["SCORE"].dtype == np.float32 and answer["SCORE"].tolist() == [0.5, 1.0]


def test_bf16_is_read_as_float32_without_a_loss() -> None:
    output = {"name": "X", "datatype": "BF16", "shape": [3]}
    header = json.dumps({"outputs": [output | {"parameters": {"binary_data_size": 6}}]}).encode()
    # 1.0, -2.0 and infinity: the upper halves of float32's bits
    body = header + np.array([0x3F80, 0xC000, 0x7F80], np.uint16).tobytes()
    answer = kserve.decode(body, f"{BINARY}{len(header)}")["X"]
    assert answer.dtype == np.float32 and answer.tolist() == [1.0, -2.0, float("inf")]


def test_a_string_that_is_cut_off_is_refused() -> None:
    output = {"name": "X", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": 6}}
    header = json.dumps({"outputs": [output]}).encode()
    with pytest.raises(ValueError, match="ends within an element"):
        kserve.decode(header + b"\x09\0\0\0ab", f"{BINARY}{len(header)}")


@pytest.mark.parametrize("kind", ["complex64", ">f4", "datetime64[s]"])
def test_an_array_without_a_datatype_of_triton_is_refused(kind: str) -> None:
    assert datatype_of(np.zeros(1, kind)) is None
    with pytest.raises(SlipwayError, match="Triton has no type for numpy's"):
        kserve.encode({"X": np.zeros(1, kind)})
