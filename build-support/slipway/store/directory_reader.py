"""Read a release store that is a folder."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from slipway.errors import SlipwayError
from slipway.files import sha256_of
from slipway.store.interface import Level, Stat, absent, outside

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
        return _stat(result)

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
        return sorted(key for key, _ in self._walk(prefix))

    def stats(self, prefix: str) -> dict[str, Stat]:
        """See :class:`~slipway.store.interface.Reader`."""
        found: dict[str, Stat] = {}
        for key, entry in sorted(self._walk(prefix), key=lambda pair: pair[0]):
            with contextlib.suppress(FileNotFoundError):  # removed since it was listed
                found[key] = _stat(entry.stat())
        return found

    def level(self, prefix: str) -> Level:
        """See :class:`~slipway.store.interface.Reader`."""
        self._path(prefix)
        found, folders = {}, []
        for name, entry in sorted((entry.name, entry) for entry in self._entries(prefix)):
            if not entry.is_dir(follow_symlinks=False):
                with contextlib.suppress(FileNotFoundError):
                    found[prefix + name] = _stat(entry.stat())
            elif next(self._walk(f"{prefix}{name}/"), None) is not None:
                folders.append(name)
        return Level(found, folders)

    def s3_location(self, key: str) -> None:
        """See :class:`~slipway.store.interface.Reader`."""
        return None

    def _walk(self, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Yield each key that begins with ``prefix``, in no order, and its file."""
        self._path(prefix)  # refuses a prefix that leads out of the store
        start = prefix.rpartition("/")[0]
        folders = [f"{start}/" if start else ""]
        while folders:
            folder = folders.pop()
            for entry in self._entries(folder):
                key = folder + entry.name
                if entry.is_dir(follow_symlinks=False):
                    # a folder on the way to the prefix, or below it
                    if f"{key}/".startswith(prefix) or prefix.startswith(f"{key}/"):
                        folders.append(f"{key}/")
                elif key.startswith(prefix):
                    yield key, entry

    def _entries(self, folder: str) -> Iterator[os.DirEntry[str]]:
        """Yield the folders and files of ``folder``; none if there is no such folder."""
        try:
            with os.scandir(self.root / folder) as entries:
                visible = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            if error.errno in ABSENT:
                return
            raise self._unreadable(folder, error) from error
        yield from (e for e in visible if e.is_dir(follow_symlinks=False) or e.is_file())

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


def _stat(result: os.stat_result) -> Stat:
    return Stat(result.st_size, f"{result.st_mtime_ns}-{result.st_ino}-{result.st_size}")
