"""A release store: keys that are created once, and small records that are swapped safely."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from slipway.errors import SlipwayError

PLACE = "slipway.toml: release.store"


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

    def create_file(self, key: str, source: Path, sha256: str) -> bool:
        """Copy ``source`` to ``key`` unless there is one; whether this call created it.

        Raises:
            SlipwayError: the bytes of ``source`` have another SHA-256 than ``sha256``.
        """
        ...

    def create(self, key: str, data: bytes) -> bool:
        """Write ``data`` to ``key`` unless there is one; whether this call created it."""
        ...

    def digest(self, key: str) -> str | None:
        """The SHA-256 of ``key``'s bytes, or ``None``."""
        ...

    def swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        """Write ``data`` if ``key`` still holds ``expected`` (``None``: is absent); whether it did."""
        ...


def open_reader(location: str, root: Path, *, profile: str | None = None) -> Reader:
    """The store at ``location``, to be read: a folder, relative to ``root``, or ``s3://bucket``
    with or without a ``/prefix``; ``profile`` is one of the AWS configuration.

    Raises:
        SlipwayError: a location of a kind that is not known, or a profile that is not there.
    """
    from slipway.release.directory import DirectoryStore

    if location.startswith("s3://"):
        from slipway.release.s3 import open_s3  # boto3 behind it: not for a folder

        return open_s3(location, profile)
    if "://" in location:
        raise SlipwayError(
            f"no release store of the kind {location!r}",
            where=PLACE,
            fix="name a folder, such as .slipway/releases, or s3://bucket/prefix",
        )
    return DirectoryStore(root / location)


def open_store(location: str, root: Path) -> Store:
    """The store at ``location``, to be read and written: a folder, relative to ``root``.

    Raises:
        SlipwayError: a location of another kind.
    """
    from slipway.release.directory import DirectoryStore

    if "://" in location:
        raise SlipwayError(
            f"the release store {location} can be read, but not written to",
            where=PLACE,
            fix="name a folder, such as .slipway/releases",
        )
    return DirectoryStore(root / location)
