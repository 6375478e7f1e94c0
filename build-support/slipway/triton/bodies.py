"""Take bodies of KServe v2 apart by tensor, requests and responses, and put them together again.

The elements of a tensor stay as they were sent until somebody asks for them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from slipway.errors import SlipwayError
from slipway.triton.datatypes import BYTES, Array, numpy_type
from slipway.triton.kserve import BINARY, LENGTH

Side = Literal["inputs", "outputs"]
SIZE = "binary_data_size"
MOST_DIMENSIONS = 32  # of numpy's arrays before 2.0
_dump = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps makes one for each call


class UndecodableError(ValueError):
    """A body is not one of KServe v2; the message says why, and quotes nothing of its content."""


@dataclass(frozen=True)
class SentTensor:
    """A tensor as it was sent: ``entry`` without its elements, which are ``data``: the bytes of a
    binary tensor, or the values of JSON."""

    entry: Mapping[str, Any]
    data: bytes | Sequence[Any]

    @property
    def name(self) -> str:
        """Return the tensor's name."""
        return str(self.entry["name"])

    @property
    def datatype(self) -> str:
        """Return Triton's datatype, such as ``FP32``."""
        return str(self.entry["datatype"])

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape, with the batch."""
        return tuple(self.entry["shape"])

    def array(self) -> Array:
        """Return the elements; strings are ``bytes`` in an array of ``object``, BF16 ``float32``.

        Raises:
            UndecodableError: they are not of the datatype, or not as many as the shape has.
        """
        try:
            return _array(self.datatype, self.data).reshape(self.shape)
        except (ValueError, TypeError, OverflowError, SlipwayError, RecursionError) as error:
            # numpy's messages quote values
            raise UndecodableError(
                f"{self.name!r}: its elements are not {self.datatype} of the shape {self.shape}"
                f" ({type(error).__name__})"
            ) from None


@dataclass(frozen=True)
class Body:
    """A request or a response: its tensors by name in their order, and the rest of its header."""

    side: Side
    tensors: Mapping[str, SentTensor]
    header: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Return the parameters of the request or response itself."""
        parameters = self.header.get("parameters", {})
        return parameters if isinstance(parameters, dict) else {}


def parse_body(body: bytes, content_type: str, side: Side) -> Body:
    """Take a body apart.

    Raises:
        UndecodableError: it is not a body of KServe v2.
    """
    try:
        size = int(content_type[len(BINARY) :]) if content_type.startswith(BINARY) else len(body)
        if not 0 <= size <= len(body):
            raise UndecodableError("its header is longer than the body")
        header = json.loads(body[:size])
        entries = header.pop(side)
        tensors: dict[str, SentTensor] = {}
        offset = size
        for entry in entries:
            tensor, length = _tensor(entry, body, offset)
            if tensor.name in tensors:
                raise UndecodableError(f"two tensors have the name {tensor.name!r}")
            tensors[tensor.name] = tensor
            offset += length
    except UndecodableError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UndecodableError(
            f"not a body of KServe with {side} ({type(error).__name__})"
        ) from None
    if offset != len(body):
        raise UndecodableError(f"{len(body) - offset} bytes more than its tensors have")
    return Body(side, tensors, header)


def build_body(body: Body) -> tuple[bytes, str]:
    """Return the bytes of ``body`` and their content type: JSON if no tensor is binary."""
    entries: list[dict[str, Any]] = []
    data: list[bytes] = []
    for tensor in body.tensors.values():
        entry = dict(tensor.entry)
        if isinstance(tensor.data, bytes):
            entry["parameters"] = {**entry.get("parameters", {}), SIZE: len(tensor.data)}
            data.append(tensor.data)
        else:
            entry["data"] = list(tensor.data)
        entries.append(entry)
    header = _dump({**body.header, body.side: entries}).encode()
    if not data:
        return header, "application/json"
    return b"".join([header, *data]), f"{BINARY}{len(header)}"


def bytes_tensor(name: str, rows: Sequence[bytes], shape: tuple[int, ...]) -> SentTensor:
    """Return a binary BYTES tensor of ``rows``."""
    data = b"".join([part for row in rows for part in (LENGTH.pack(len(row)), row)])
    return SentTensor({"name": name, "datatype": BYTES, "shape": list(shape)}, data)


def _tensor(entry: Any, body: bytes, offset: int) -> tuple[SentTensor, int]:
    """Return a tensor, and how many bytes of ``body`` from ``offset`` on are its elements."""
    name, datatype, shape = entry["name"], entry["datatype"], entry["shape"]
    if not isinstance(name, str) or not isinstance(datatype, str) or len(shape) > MOST_DIMENSIONS:
        raise UndecodableError("a tensor without name, datatype or shape")
    if not all(isinstance(size, int) and size >= 0 for size in shape):
        raise UndecodableError(f"{name!r}: its shape is not one of whole numbers")
    parameters = dict(entry.get("parameters", {}))
    length = parameters.pop(SIZE, None)
    kept = {key: value for key, value in entry.items() if key not in ("data", "parameters")}
    if parameters:
        kept["parameters"] = parameters
    if length is None:
        if not isinstance(entry["data"], list):
            raise UndecodableError(f"{name!r}: its data is not a list")
        return SentTensor(kept, entry["data"]), 0
    if not isinstance(length, int) or not 0 <= length <= len(body) - offset:
        raise UndecodableError(f"{name!r}: its elements are missing")
    return SentTensor(kept, body[offset : offset + length]), length


def _array(datatype: str, data: bytes | Sequence[Any]) -> Array:
    """Return the elements, flat."""
    if isinstance(data, bytes):
        return _from_bytes(datatype, data)
    if datatype == BYTES:
        flat = [element.encode() for element in _flatten(data)]
        array = np.empty(len(flat), dtype=np.object_)
        array[:] = flat
        return array
    return np.array(data, dtype=numpy_type("FP32" if datatype == "BF16" else datatype)).ravel()


def _from_bytes(datatype: str, data: bytes) -> Array:
    if datatype == "BF16":
        return (np.frombuffer(data, np.uint16).astype(np.uint32) << 16).view(np.float32)
    if datatype != BYTES:
        return np.frombuffer(data, numpy_type(datatype))
    elements, offset = [], 0
    while offset < len(data):
        if offset + LENGTH.size > len(data):
            raise ValueError("a BYTES tensor ends within a length")
        (length,) = LENGTH.unpack_from(data, offset)
        offset += LENGTH.size
        if offset + length > len(data):
            raise ValueError("a BYTES tensor ends within an element")
        elements.append(data[offset : offset + length])
        offset += length
    array = np.empty(len(elements), dtype=np.object_)
    array[:] = elements
    return array


def _flatten(values: Sequence[Any]) -> list[str]:
    """Return the strings of nested lists."""
    flat: list[str] = []
    for value in values:
        if isinstance(value, list):
            flat += _flatten(value)
        elif isinstance(value, str):
            flat.append(value)
        else:
            raise ValueError("not a string")
    return flat
