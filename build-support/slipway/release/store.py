"""A release store: keys that are created once, and small records that are swapped safely."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from slipway.errors import SlipwayError


class Store(Protocol):
    """Where releases lie. A key is absent or whole, and no key is ever overwritten.

    Keys are ``/``-separated and relative to the store's root.
    """

    def create_file(self, key: str, source: Path, sha256: str) -> bool:
        """Copy ``source`` to ``key`` unless there is one; whether this call created it.

        Raises:
            SlipwayError: the bytes of ``source`` have another SHA-256 than ``sha256``.
        """
        ...

    def create(self, key: str, data: bytes) -> bool:
        """Write ``data`` to ``key`` unless there is one; whether this call created it."""
        ...

    def read(self, key: str) -> bytes | None:
        """The bytes of a small ``key``, or ``None``."""
        ...

    def digest(self, key: str) -> str | None:
        """The SHA-256 of ``key``'s bytes, or ``None``."""
        ...

    def swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        """Write ``data`` if ``key`` still holds ``expected`` (``None``: is absent); whether it did."""
        ...

    def keys(self, prefix: str) -> list[str]:
        """Every key below ``prefix``, sorted."""
        ...


def open_store(location: str, root: Path) -> Store:
    """The store at ``location``: a folder, relative to ``root``.

    Raises:
        SlipwayError: a location of a kind that is not known.
    """
    from slipway.release.directory import DirectoryStore

    if "://" in location:
        raise SlipwayError(
            f"no release store of the kind {location!r}",
            where="slipway.toml: release.store",
            fix="name a folder, such as .slipway/releases",
        )
    return DirectoryStore(root / location)
