"""A release store: keys that are created once, and small records that are swapped safely."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from slipway.errors import SlipwayError

PLACE = "slipway.toml: release.store"
Progress = Callable[[int], object]
# nobody goes on with an upload after so long
ABANDONED = timedelta(days=1)


class Stat(NamedTuple):
    """A key's bytes: how many, and a ``version`` that is another one once they were replaced."""

    size: int
    version: str


class Reader(Protocol):
    """Where releases lie, for those who only read. A key is absent or whole.

    Keys are ``/``-separated and relative to the store's root. Safe to use from several threads.

    Every method raises a SlipwayError if the store cannot be reached or refuses, and for a key
    that leads out of it.
    """

    def read(self, key: str) -> bytes | None:
        """The bytes of a small ``key``, or ``None``."""
        ...

    def stat(self, key: str) -> Stat | None:
        """Size and version of ``key``, or ``None``."""
        ...

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        """The bytes of ``key`` as a stream, which is read once and forwards.

        Raises:
            SlipwayError: there is no such key, or the connection breaks while it is read.
        """
        ...

    def keys(self, prefix: str) -> list[str]:
        """Every key that begins with ``prefix``, sorted."""
        ...


class Store(Reader, Protocol):
    """Where releases lie, for those who publish: no key of an artifact is ever overwritten."""

    def create_file(
        self, key: str, source: Path, sha256: str, progress: Progress | None = None
    ) -> bool:
        """Copy ``source`` to ``key`` unless there is one; whether this call created it.

        ``progress`` is called, from any thread, with the bytes that have arrived since.

        Raises:
            SlipwayError: the bytes of ``source`` have another SHA-256 than ``sha256``.
        """
        ...

    def copy(self, source: Reader, source_key: str, key: str, sha256: str) -> bool:
        """Copy ``source_key`` of another store to ``key`` unless there is one; whether this call
        created it. Between two stores in S3 no byte comes through here.

        Raises:
            SlipwayError: there is no such source, or its bytes have another SHA-256.
        """
        ...

    def create(self, key: str, data: bytes) -> bool:
        """Write ``data`` to ``key`` unless there is one; whether this call created it."""
        ...

    def digest(self, key: str) -> str | None:
        """The SHA-256 of ``key``'s bytes, or ``None``."""
        ...

    def delete(self, key: str) -> bool:
        """Remove ``key``; whether it was there."""
        ...

    def clean(self, prefix: str, older_than: timedelta = ABANDONED) -> int:
        """Remove what writers of keys that begin with ``prefix`` left when they were cut off, if
        nothing was added since; how many such leftovers.

        None of it is a key, but S3 charges for the parts of an upload until it is ended.
        """
        ...

    def swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        """Write ``data`` if ``key`` still holds ``expected`` (``None``: is absent); whether it did."""
        ...


def changed(where: str, sha256: str, expected: str) -> SlipwayError:
    """What to say of bytes that are not those that were built."""
    return SlipwayError(
        f"its SHA-256 is {sha256}, packing recorded {expected}",
        where=where,
        fix="it changed after it was built: build it anew",
    )
