"""Read the fields of a message in protobuf's wire format, without copying the skipped ones.

The format: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Buffer(Protocol):
    """``bytes``, or a file's memory map."""

    def __getitem__(self, index: int, /) -> int: ...


class MalformedError(Exception):
    """The data is not a protobuf message, or is truncated."""


def fields(data: Buffer, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield number, wire type and content of each field between two offsets.

    The content of a varint is its value, twice; of all others the offsets where it begins and ends.

    Raises:
        MalformedError: a field reaches beyond ``end``, or has a type that does not exist.
    """
    at = start
    while at < end:
        tag, at = varint(data, at, end)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, at = varint(data, at, end)
            yield number, kind, value, value
            continue
        if kind == BYTES:
            size, at = varint(data, at, end)
        elif kind == FIXED32:
            size = 4
        elif kind == FIXED64:
            size = 8
        else:
            raise MalformedError(f"no field begins at byte {at}")
        if number == 0:
            raise MalformedError(f"no field begins at byte {at}")
        if at + size > end:
            raise MalformedError(f"it ends in the middle of a field, {at + size - end} bytes early")
        yield number, kind, at, at + size
        at += size


def varint(data: Buffer, at: int, end: int) -> tuple[int, int]:
    """Return the number that starts at ``at``, and the offset after it."""
    value = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise MalformedError(f"byte {at} belongs to a number that is too long")
    raise MalformedError("it ends in the middle of a number")
