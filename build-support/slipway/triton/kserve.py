"""Requests and responses of KServe v2 with binary tensors, as SageMaker's Triton takes them.

The format: https://github.com/kserve/open-inference-protocol (HTTP/REST) with Triton's binary
tensor data extension. Source of the content type: Triton's sagemaker_server.cc.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.triton.datatypes import BYTES, Array, datatype_of, numpy_type

# no space after the semicolon: the server looks for exactly this
BINARY = "application/vnd.sagemaker-triton.binary+json;json-header-size="
LENGTH = struct.Struct("<I")  # before each element of a BYTES tensor


def encode(
    inputs: Mapping[str, Array],
    *,
    as_json: Collection[str] = (),
    parameters: Mapping[str, Any] | None = None,
) -> tuple[bytes, str]:
    """Return the body and content type of a request. Strings and bytes are arrays of ``object``.

    The response holds binary tensors; with ``as_json``, only these outputs, as JSON.
    ``parameters`` are the request's own, such as ``sequence_id`` and ``sequence_start``.

    Raises:
        SlipwayError: an array's type has no counterpart in Triton.
    """
    entries, data = [], []
    for name, value in inputs.items():
        datatype, elements = _serialize(name, np.asarray(value))
        entries.append(
            {
                "name": name,
                "shape": list(np.shape(value)),
                "datatype": datatype,
                "parameters": {"binary_data_size": len(elements)},
            }
        )
        data.append(elements)
    request: dict[str, Any] = {"inputs": entries}
    if parameters:
        request["parameters"] = dict(parameters)
    if as_json:
        request["outputs"] = [
            {"name": name, "parameters": {"binary_data": False}} for name in as_json
        ]
    else:
        request["parameters"] = {**(parameters or {}), "binary_data_output": True}
    header = json.dumps(request, separators=(",", ":")).encode()
    return b"".join([header, *data]), f"{BINARY}{len(header)}"


def decode(body: bytes, content_type: str) -> dict[str, Array]:
    """Return the outputs of a response by name. Strings of a binary response are ``bytes`` in
    arrays of ``object``, those of a JSON response ``str``; BF16 becomes ``float32``, which
    loses nothing.
    """
    size = int(content_type[len(BINARY) :]) if content_type.startswith(BINARY) else len(body)
    arrays: dict[str, Array] = {}
    offset = size
    for output in json.loads(body[:size]).get("outputs", []):
        length = output.get("parameters", {}).get("binary_data_size")
        if length is None:
            flat = np.array(output["data"], dtype=numpy_type(output["datatype"]))
        else:
            flat = _deserialize(output["datatype"], body[offset : offset + length])
            offset += length
        arrays[output["name"]] = flat.reshape(output["shape"])
    return arrays


def message_of(status: int, body: bytes) -> str:
    """Return the message in the body of an error."""
    if not body:
        return f"HTTP {status} without a message"
    text = body.decode(errors="replace")
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        # two errors in one body: the load's, and that of taking its repository back
        match = re.match(r'\{"error":("(?:[^"\\]|\\.)*")\}', text)
        return str(json.loads(match[1])) if match else text


def _serialize(name: str, array: Array) -> tuple[str, bytes]:
    """Return the datatype of an input and its elements in row-major order."""
    datatype = BYTES if array.dtype.kind == "U" else datatype_of(array)
    if datatype is None:
        raise SlipwayError(
            f"input {name!r}: Triton has no type for numpy's {array.dtype}",
            fix=f"convert it first, such as {name}.astype(numpy.float32)",
        )
    if datatype != BYTES:
        return datatype, array.tobytes()
    parts = []
    for element in array.ravel().tolist():
        encoded = element if isinstance(element, bytes) else str(element).encode()
        parts += [LENGTH.pack(len(encoded)), encoded]
    return datatype, b"".join(parts)


def _deserialize(datatype: str, data: bytes) -> Array:
    """Return the elements of an output, flat."""
    if datatype == "BF16":
        return (np.frombuffer(data, np.uint16).astype(np.uint32) << 16).view(np.float32)
    if datatype != BYTES:
        return np.frombuffer(data, numpy_type(datatype))
    elements, offset = [], 0
    while offset < len(data):
        (length,) = LENGTH.unpack_from(data, offset)
        offset += LENGTH.size
        if offset + length > len(data):
            raise ValueError("a BYTES tensor ends within an element")
        elements.append(data[offset : offset + length])
        offset += length
    return np.array(elements, dtype=np.object_)
