"""A request that is written as code: its tensors inline, or by the files that they come from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from slipway.endpoint.playground.elements import element_text
from slipway.endpoint.playground.question import Question
from slipway.endpoint.playground.served import Served
from slipway.triton import kserve
from slipway.triton.datatypes import BYTES, Array, datatype_of

LONGEST_INLINE = 16_000  # characters; one argument of a command has at most 128 KiB
# what Triton reads of a request's JSON; FP16 has to be binary
IN_JSON = {"BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"}
FLOATS = {"FP32", "FP64"}


class Source(NamedTuple):
    """Where the elements of a tensor come from.

    ``files`` are the caller's own: pictures and the like, one an element, or one ``.npy``.
    ``saved`` is a file that the page offers, with the elements as they are sent.
    """

    datatype: str
    array: Array
    text: str = ""
    files: tuple[str, ...] = ()
    saved: str = ""

    @property
    def shape(self) -> list[int]:
        """The shape that is sent."""
        return list(self.array.shape)

    @property
    def elements(self) -> bytes:
        """The elements as they are sent."""
        array = self.array
        if self.datatype != BYTES:
            return array.tobytes()
        return b"".join(part for item in array.ravel() for part in (prefix(item), item))


@dataclass(frozen=True)
class Request:
    """A request to the release ``target`` of ``name``, or to the container ``target``.

    ``is_binary``: its answer holds what JSON cannot. ``with_token``: the endpoint asks for one.
    """

    served: Served
    name: str
    target: str
    arrays: Mapping[str, Array]
    question: Question
    is_binary: bool = False
    with_token: bool = False

    @cached_property
    def sources(self) -> dict[str, Source]:
        """Where each tensor comes from."""
        return {key: self._source(key, array) for key, array in self.arrays.items()}

    @property
    def parameters(self) -> dict[str, Any]:
        """The request's own parameters."""
        binary = {"binary_data_output": True} if self.is_binary else {}
        return {**self.question.parameters, **binary}

    def saved(self) -> dict[str, bytes]:
        """Return the files that the code reads and the caller does not have, by name."""
        return {source.saved: source.elements for source in self.sources.values() if source.saved}

    def _source(self, key: str, array: Array) -> Source:
        datatype = datatype_of(array) or BYTES
        fields = [row[key] for row in self.question.rows if key in row]
        files = tuple(plain_name(field.name) for field in fields if field.name)
        if files and datatype == BYTES and len(files) == array.size:
            return Source(datatype, array, files=files)
        if len(files) == 1 == len(fields) and datatype != BYTES:
            data = fields[0].value
            assert isinstance(data, bytes)
            if data.endswith(array.tobytes()):  # its elements are the end of a .npy file
                return Source(datatype, array, files=files)
        text = _inline(datatype, array)
        if text is not None:
            return Source(datatype, array, text=text)
        return Source(datatype, array, saved=f"{plain_name(key)}.bin")


def prefix(element: bytes) -> bytes:
    """Return what comes before an element of BYTES: its length."""
    return kserve.LENGTH.pack(len(element))


def plain_name(name: str) -> str:
    """Return a file's name without folders and control characters, so that code can hold it."""
    return re.sub(r"[\x00-\x1f\x7f]", "_", re.split(r"[/\\]", name)[-1]) or "file"


def json_string(text: str) -> str:
    """Return a JSON string of characters that every terminal and editor keeps."""
    import json

    return json.dumps(text)


def _inline(datatype: str, array: Array) -> str | None:
    """Return the elements as a flat list in JSON; ``None`` if they do not belong into code."""
    if array.size > LONGEST_INLINE:
        return None
    if datatype == BYTES:
        try:
            texts = [item.decode() for item in array.ravel()]
        except UnicodeDecodeError:
            return None
        if any("\0" in text for text in texts):
            return None
        parts = [json_string(text) for text in texts]
    elif datatype in IN_JSON or (datatype in FLOATS and bool(np.isfinite(array).all())):
        parts = [element_text(element) for element in array.ravel()]
    else:
        return None
    text = f"[{', '.join(parts)}]"
    return text if len(text) <= LONGEST_INLINE else None
