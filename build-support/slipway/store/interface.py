"""Define a release store: keys that are created once, and small records replaced safely."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SETTING = "slipway.toml: release.store"
Progress = Callable[[int], object]
# an upload without a change for so long has lost its writer
ABANDONED = timedelta(days=1)


class AccessDenied(SlipwayError):
    """The store knows who asks, and does not allow it."""


class Stat(NamedTuple):
    """A key's size in bytes, and a ``version`` that changes when the bytes are replaced."""

    size: int
    version: str


class Level(NamedTuple):
    """What is directly below a prefix: ``keys``, sorted, and ``folders``, the names of the parts
    that have keys below them."""

    keys: dict[str, Stat]
    folders: list[str]


class S3Location(NamedTuple):
    """An object in S3, and the client that reaches it."""

    client: S3Client
    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Reader(Protocol):
    """A release store to read from. A key is absent or complete.

    Keys are ``/``-separated and relative to the store's root. Safe to use from several threads.

    Every method raises a SlipwayError if the store cannot be reached or refuses, and for a key
    that leads out of it.
    """

    @property
    def records_digests(self) -> bool:
        """Whether :meth:`digest` reports what was recorded when a key was written, without
        reading its bytes."""
        ...

    def read(self, key: str) -> bytes | None:
        """Return the bytes of a small ``key``, or ``None``."""
        ...

    def stat(self, key: str) -> Stat | None:
        """Return size and version of ``key``, or ``None``."""
        ...

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Open the bytes of ``key`` as a stream, to be read once and forwards.

        Raises:
            SlipwayError: the key does not exist, or the connection breaks.
        """
        ...

    def digest(self, key: str) -> str | None:
        """Return the SHA-256 of ``key``'s bytes, or ``None``."""
        ...

    def keys(self, prefix: str) -> list[str]:
        """Return every key that begins with ``prefix``, sorted."""
        ...

    def stats(self, prefix: str) -> dict[str, Stat]:
        """Return every key that begins with ``prefix``, sorted, with what :meth:`stat` returns. S3
        lists a thousand of them in one request."""
        ...

    def level(self, prefix: str) -> Level:
        """Return what is directly below ``prefix``, which ends with a slash: in S3, one request for
        each thousand keys and folders, whatever the number of keys in those folders."""
        ...

    def s3_location(self, key: str) -> S3Location | None:
        """Return where the object of ``key`` is in S3; ``None`` in a store of another kind."""
        ...


class Store(Reader, Protocol):
    """A release store to publish to. The key of an artifact is never overwritten."""

    def create_file(
        self, key: str, source: Path, sha256: str, progress: Progress | None = None
    ) -> bool:
        """Copy ``source`` to ``key`` unless the key exists; return whether this call created it.

        ``progress`` is called, from any thread, with the number of bytes since its last call.

        Raises:
            SlipwayError: the bytes of ``source`` have another SHA-256 than ``sha256``.
        """
        ...

    def copy(self, source: Reader, source_key: str, key: str, sha256: str) -> bool:
        """Copy ``source_key`` of another store to ``key`` unless the key exists; return whether
        this call created it. Between two stores in S3 no byte comes through here.

        Raises:
            SlipwayError: the source does not exist, or its bytes have another SHA-256.
        """
        ...

    def create(self, key: str, data: bytes) -> bool:
        """Write ``data`` to ``key`` unless the key exists; return whether this call created it."""
        ...

    def delete(self, key: str) -> bool:
        """Remove ``key``; return whether it existed."""
        ...

    def delete_unchanged(self, key: str, expected: bytes) -> bool:
        """Remove the small ``key`` if it still holds ``expected``; return whether it did."""
        ...

    def clean(self, prefix: str, older_than: timedelta = ABANDONED) -> int:
        """Remove what interrupted writers of keys that begin with ``prefix`` left, if it has not
        changed for ``older_than``; return the number of leftovers.

        None of it is a key, but S3 charges for the parts of an upload until it is ended.
        """
        ...

    def swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        """Write ``data`` if ``key`` still holds ``expected`` (``None``: is absent); return whether
        it did."""
        ...

    def require_conditional_writes(self, key: str, *, again: bool = False) -> None:
        """Refuse a store in which two writers of one key may both succeed.

        A server is asked once, by writing to ``key``, which is used for nothing else; then its
        answer is remembered for some days, on this machine. ``again`` asks it anyway.

        Raises:
            SlipwayError: the server ignores a condition; says which.
        """
        ...


def changed(where: str, sha256: str, expected: str) -> SlipwayError:
    """Return the error for bytes that differ from those that were built."""
    return SlipwayError(
        f"its SHA-256 is {sha256}, packing recorded {expected}",
        where=where,
        fix="the file changed after it was built: build it again",
    )


def outside(key: str, where: str) -> SlipwayError:
    """Return the error for a ``key`` that leads out of the store."""
    return SlipwayError(
        f"the key {key!r:.200} leads out of the store",
        where=where,
        fix="a key is a path without '..'",
    )


def absent(where: str) -> SlipwayError:
    """Return the error for a key that does not exist."""
    return SlipwayError(
        "no such key in the release store", where=where, fix="slipway describe <name>"
    )
