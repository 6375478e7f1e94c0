"""Read UBJSON, as XGBoost writes its ``.ubj``: draft 12 of ubjson.org, with typed arrays."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

# ubjson.org/type-reference, and XGBoost's L (int64); all are big-endian
NUMBERS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
CONSTANTS = {"Z": None, "T": True, "F": False}
DEEPEST = 100  # of nested values; XGBoost's models have 9


class MalformedError(ValueError):
    """These bytes are not UBJSON, or end too early."""


def read_ubjson(data: bytes) -> Any:
    """Return the value that ``data`` holds: dicts, lists, numpy arrays of numbers, texts.

    Raises:
        MalformedError: they are no UBJSON, or end too early.
    """
    reader = _Reader(data)
    try:
        value = reader.value(reader.marker(), 0)
    except (IndexError, KeyError, struct.error, UnicodeDecodeError, ValueError) as error:
        raise MalformedError(f"no UBJSON at byte {reader.at:,} of {len(data):,}") from error
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def marker(self) -> str:
        """Return the next marker, a letter; ``N`` stands for nothing."""
        while True:
            self.at += 1
            if self.data[self.at - 1] != ord("N"):
                return chr(self.data[self.at - 1])

    def value(self, marker: str, depth: int) -> Any:
        """Return the value that follows its ``marker``."""
        if depth > DEEPEST:
            raise ValueError("nested too deeply")
        if marker in NUMBERS:
            return self.number(marker)
        if marker in CONSTANTS:
            return CONSTANTS[marker]
        if marker == "{":
            return self.mapping(depth)
        if marker == "[":
            return self.array(depth)
        if marker == "C":
            return self.take(1).decode()
        if marker == "S":
            return self.text()
        raise KeyError(marker)

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes."""
        if size < 0 or self.at + size > len(self.data):
            raise IndexError(size)
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, marker: str) -> int | float:
        """Return one number of the type ``marker``."""
        kind = np.dtype(NUMBERS[marker])
        found = np.frombuffer(self.take(kind.itemsize), kind)[0].item()
        assert isinstance(found, int | float)
        return found

    def size(self) -> int:
        """Return a length."""
        return int(self.number(self.marker()))

    def text(self) -> str:
        """Return a text, after its length."""
        return self.take(self.size()).decode()

    def mapping(self, depth: int) -> dict[str, Any]:
        """Return an object: pairs up to ``}``, as XGBoost writes, or counted ones."""
        found: dict[str, Any] = {}
        count = -1
        if self.data[self.at] == ord("#"):
            self.at += 1
            count = self.size()
        while count:
            if count < 0 and self.data[self.at] == ord("}"):
                self.at += 1
                break
            name = self.text()
            found[name] = self.value(self.marker(), depth + 1)
            count -= 1
        return found

    def array(self, depth: int) -> Any:
        """Return an array: of one type of numbers, counted, or of any values up to ``]``."""
        kind = ""
        if self.data[self.at] == ord("$"):
            kind = chr(self.data[self.at + 1])
            self.at += 2
        if self.data[self.at] != ord("#"):
            values = []
            while self.data[self.at] != ord("]"):
                values.append(self.value(self.marker(), depth + 1))
            self.at += 1
            return values
        self.at += 1
        count = self.size()
        if kind:
            dtype = np.dtype(NUMBERS[kind])
            return np.frombuffer(self.take(count * dtype.itemsize), dtype)
        return [self.value(self.marker(), depth + 1) for _ in range(count)]
