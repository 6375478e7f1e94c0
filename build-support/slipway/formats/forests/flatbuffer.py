"""Read tables of FlatBuffers by the numbers of their fields, without generated code.

Source: https://flatbuffers.dev/internals; numbers are little-endian, references relative.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from slipway.formats.format import Array


class MalformedError(ValueError):
    """A reference leads out of the buffer."""


@dataclass(frozen=True)
class Table:
    """The table at byte ``at`` of ``data``. Fields are numbered as in the schema."""

    data: bytes
    at: int

    def _field(self, number: int) -> int:
        """Return where a field's value is; 0 of one that is left out."""
        start = self.at - self._read("i", self.at)
        size = int(self._read("H", start))
        slot = 4 + 2 * number
        offset = self._read("H", start + slot) if slot < size else 0
        return self.at + offset if offset else 0

    def _read(self, kind: str, at: int) -> Any:
        try:
            return struct.unpack_from(f"<{kind}", self.data, at)[0]
        except struct.error as error:
            raise MalformedError(f"nothing at byte {at:,}") from error

    def _follow(self, at: int) -> int:
        return at + int(self._read("I", at))

    def number(self, number: int, kind: str, default: int) -> int:
        """Return a number of the struct type ``kind``."""
        at = self._field(number)
        return int(self._read(kind, at)) if at else default

    def text(self, number: int) -> str:
        """Return a text, '' if it is left out."""
        at = self._field(number)
        return self._text(self._follow(at)) if at else ""

    def _text(self, at: int) -> str:
        size = int(self._read("I", at))
        return self.data[at + 4 : at + 4 + size].decode(errors="replace")

    def table(self, number: int) -> Table | None:
        """Return a table, ``None`` if it is left out."""
        at = self._field(number)
        return Table(self.data, self._follow(at)) if at else None

    def tables(self, number: int) -> list[Table]:
        """Return a vector of tables."""
        return [Table(self.data, self._follow(at)) for at in self._items(number, 4)]

    def texts(self, number: int) -> list[str]:
        """Return a vector of texts."""
        return [self._text(self._follow(at)) for at in self._items(number, 4)]

    def numbers(self, number: int, kind: str) -> Array:
        """Return a vector of numbers of the numpy type ``kind``."""
        size = np.dtype(kind).itemsize
        items = self._items(number, size)
        end = items.start + size * len(items)
        if end > len(self.data):
            raise MalformedError(f"a vector to byte {end:,}")
        return np.frombuffer(self.data[items.start : end], kind)

    def _items(self, number: int, size: int) -> range:
        at = self._field(number)
        if not at:
            return range(0)
        vector = self._follow(at)
        count = int(self._read("I", vector))
        if vector + 4 + count * size > len(self.data):
            raise MalformedError(f"{count:,} entries at byte {vector:,}")
        return range(vector + 4, vector + 4 + count * size, size)


def root_of(data: bytes) -> Table:
    """Return the root table of a buffer."""
    return Table(data, int.from_bytes(data[:4], "little"))
