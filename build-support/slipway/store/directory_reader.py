"""Read a release store that is a folder."""

from __future__ import annotations

import contextlib
import errno
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from slipway.errors import SlipwayError
from slipway.store.interface import Stat

# what a file system says of a key that it does not, or cannot, hold
ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EILSEQ}


class DirectoryReader:
    """A :class:`~slipway.store.interface.Reader` of the folder ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, key: str) -> bytes | None:
        """See :class:`~slipway.store.interface.Reader`."""
        try:
            return self._path(key).read_bytes()
        except OSError as error:
            if error.errno in ABSENT:
                return None
            raise self._unread(key, error) from error

    def stat(self, key: str) -> Stat | None:
        """See :class:`~slipway.store.interface.Reader`."""
        try:
            found = self._path(key).stat()
        except OSError as error:
            if error.errno in ABSENT:
                return None
            raise self._unread(key, error) from error
        if not stat.S_ISREG(found.st_mode):
            return None
        return Stat(found.st_size, f"{found.st_mtime_ns}-{found.st_ino}-{found.st_size}")

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """See :class:`~slipway.store.interface.Reader`."""
        try:
            file = self._path(key).open("rb")
        except OSError as error:
            if error.errno in ABSENT:
                raise SlipwayError(
                    "no such key in the release store",
                    where=str(self.root / key),
                    fix="slipway describe <name>",
                ) from error
            raise self._unread(key, error) from error
        with file:
            yield file

    def keys(self, prefix: str) -> list[str]:
        """See :class:`~slipway.store.interface.Reader`."""
        self._path(prefix)  # refuses one that leads out
        start = self.root / prefix.rpartition("/")[0]
        files = (path for path in start.rglob("*") if path.is_file())
        relative = (path.relative_to(self.root) for path in files)
        visible = (p for p in relative if not any(part.startswith(".") for part in p.parts))
        return sorted(p.as_posix() for p in visible if p.as_posix().startswith(prefix))

    def _path(self, key: str) -> Path:
        path = self.root / key
        try:
            inside = path.resolve().is_relative_to(self.root.resolve())
        except ValueError:  # a NUL, or text that is no UTF-8
            inside = False
        if not inside or key.startswith("/") or ".." in key.split("/"):
            raise SlipwayError(
                f"the key {key!r:.200} leads out of the store",
                where=str(self.root),
                fix="a key is a path without '..'",
            )
        return path

    def _unread(self, key: str, error: OSError) -> SlipwayError:
        return SlipwayError(
            f"not readable: {error.strerror}",
            where=str(self.root / key),
            fix="let your user read the release store",
        )
