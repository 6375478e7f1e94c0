"""Find in a function's arguments and in what it returns what was sent and answered, as bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.triton.bodies import Body, SentTensor, Side, build_body, bytes_tensor
from slipway.triton.datatypes import BYTES, Array, datatype_of

JSON = "application/json"


def body_of_arguments(arguments: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return body and content type of a request: the first argument that is a mapping of arrays or
    a body, which has its content type beside it, or else every argument that is an array.

    Raises:
        SlipwayError: there is none of these, or Triton has no type for an array.
    """
    values = list(arguments.values())
    for number, value in enumerate(values):
        if isinstance(value, Mapping):
            return _encode(value, "inputs")
        if isinstance(value, (bytes, bytearray)):
            kinds = [other for other in values[number + 1 :] if isinstance(other, str)]
            return bytes(value), str(arguments.get("content_type", kinds[0] if kinds else JSON))
    arrays = {name: value for name, value in arguments.items() if isinstance(value, np.ndarray)}
    if arrays:
        return _encode(arrays, "inputs")
    raise SlipwayError(
        "none of its arguments is an array, a mapping of arrays or a body",
        fix="take the inputs as a mapping, as arguments that are arrays, or as bytes",
    )


def body_of_result(result: Any) -> tuple[bytes, str]:
    """Return body and content type of what a function returned.

    Raises:
        SlipwayError: it is no mapping of arrays and no body, or Triton has no type for an array.
    """
    result = getattr(result, "outputs", result)
    if isinstance(result, Mapping):
        return _encode(result, "outputs")
    if isinstance(getattr(result, "body", None), bytes):
        return result.body, str(getattr(result, "content_type", JSON))
    if isinstance(result, (bytes, bytearray)):
        return bytes(result), JSON
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[0], bytes):
        return result[0], str(result[1])
    raise SlipwayError(
        f"it returned {type(result).__name__}",
        fix="return a mapping of arrays, or a body and its content type",
    )


def _encode(arrays: Mapping[str, Any], side: Side) -> tuple[bytes, str]:
    tensors = {str(name): _tensor(str(name), np.asarray(value)) for name, value in arrays.items()}
    return build_body(Body(side, tensors))


def _tensor(name: str, array: Array) -> SentTensor:
    datatype = BYTES if array.dtype.kind == "U" else datatype_of(array)
    if datatype is None:
        raise SlipwayError(
            f"{name!r}: Triton has no type for numpy's {array.dtype}",
            fix=f"convert it, such as {name}.astype(numpy.float32)",
        )
    if datatype != BYTES:
        entry = {"name": name, "datatype": datatype, "shape": list(array.shape)}
        return SentTensor(entry, array.tobytes())
    rows = [
        element if isinstance(element, bytes) else str(element).encode()
        for element in array.ravel().tolist()
    ]
    return bytes_tensor(name, rows, array.shape)
