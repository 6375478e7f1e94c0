"""Read a release store that is a folder."""

from __future__ import annotations

import contextlib
import errno
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from slipway.errors import SlipwayError
from slipway.files import sha256_of
from slipway.store.interface import Stat, absent, outside

# what a file system reports of a key that it does not, or cannot, hold
ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EILSEQ}


class DirectoryReader:
    """A :class:`~slipway.store.interface.Reader` of the folder ``root``."""

    records_digests = False

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, key: str) -> bytes | None:
        """See :class:`~slipway.store.interface.Reader`."""
        try:
            return self._path(key).read_bytes()
        except OSError as error:
            if error.errno in ABSENT:
                return None
            raise self._unreadable(key, error) from error

    def stat(self, key: str) -> Stat | None:
        """See :class:`~slipway.store.interface.Reader`."""
        try:
            result = self._path(key).stat()
        except OSError as error:
            if error.errno in ABSENT:
                return None
            raise self._unreadable(key, error) from error
        if not stat.S_ISREG(result.st_mode):
            return None
        return Stat(result.st_size, f"{result.st_mtime_ns}-{result.st_ino}-{result.st_size}")

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """See :class:`~slipway.store.interface.Reader`."""
        try:
            file = self._path(key).open("rb")
        except OSError as error:
            if error.errno in ABSENT:
                raise absent(str(self.root / key)) from error
            raise self._unreadable(key, error) from error
        with file:
            yield file

    def digest(self, key: str) -> str | None:
        """See :class:`~slipway.store.interface.Reader`."""
        try:
            return sha256_of(self._path(key))
        except OSError as error:
            if error.errno in ABSENT:
                return None
            raise self._unreadable(key, error) from error

    def keys(self, prefix: str) -> list[str]:
        """See :class:`~slipway.store.interface.Reader`."""
        self._path(prefix)  # refuses a prefix that leads out of the store
        start = self.root / prefix.rpartition("/")[0]
        files = (path for path in start.rglob("*") if path.is_file())
        relative = (path.relative_to(self.root) for path in files)
        visible = (p for p in relative if not any(part.startswith(".") for part in p.parts))
        return sorted(p.as_posix() for p in visible if p.as_posix().startswith(prefix))

    def s3_location(self, key: str) -> None:
        """See :class:`~slipway.store.interface.Reader`."""
        return None

    def _path(self, key: str) -> Path:
        path = self.root / key
        try:
            inside = path.resolve().is_relative_to(self.root.resolve())
        except ValueError:  # a NUL, or text that is not UTF-8
            inside = False
        if not inside or key.startswith("/") or ".." in key.split("/"):
            raise outside(key, str(self.root))
        return path

    def _unreadable(self, key: str, error: OSError) -> SlipwayError:
        return SlipwayError(
            f"not readable: {error.strerror}",
            where=str(self.root / key),
            fix="let your user read the release store",
        )
