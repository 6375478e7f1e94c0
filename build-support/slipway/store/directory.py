"""Keep releases in a folder, so that publishing works on a fresh laptop."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from slipway.errors import SlipwayError
from slipway.files import CHUNK, HashingReader, atomic_write, locked, temp_sibling
from slipway.store.directory_reader import DirectoryReader
from slipway.store.interface import ABANDONED, Progress, Reader, changed

TEMPORARY = ".aside-"
# what a file system without space reports, and how to fix it
NO_SPACE = "free space on its disk, or raise your quota"
REFUSED = {
    errno.ENOSPC: NO_SPACE,
    errno.EDQUOT: NO_SPACE,
    errno.EFBIG: "its file system does not allow a file of that size: use another one",
    errno.ENAMETOOLONG: "choose a shorter name",
    **dict.fromkeys(
        (errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.EPERM, errno.EXDEV),
        "its file system has no hard links, which keep a key from being overwritten: use another",
    ),
}


class DirectoryStore(DirectoryReader):
    """A :class:`~slipway.store.interface.Store` below the folder ``root``.

    A key is created by giving the finished file its name with a hard link, which the operating
    system refuses if the name is taken: two publishers cannot both win.
    """

    def create_file(
        self, key: str, source: Path, sha256: str, progress: Progress | None = None
    ) -> bool:
        """See :class:`~slipway.store.interface.Store`; hashes the bytes while it copies them."""
        with source.open("rb") as file:
            return self._create_from(key, file, str(source), sha256, progress)

    def copy(self, source: Reader, source_key: str, key: str, sha256: str) -> bool:
        """See :class:`~slipway.store.interface.Store`."""
        with source.open(source_key) as stream:
            return self._create_from(key, stream, source_key, sha256, None)

    def create(self, key: str, data: bytes) -> bool:
        """See :class:`~slipway.store.interface.Store`."""
        return self._create(key, lambda file: file.write(data))

    def delete(self, key: str) -> bool:
        """See :class:`~slipway.store.interface.Store`."""
        path = self._path(key)
        if self.stat(key) is None:
            return False
        with self._translate_errors(key), locked(_lock(path)):
            try:
                path.unlink()
            except FileNotFoundError:
                return False
        return True

    def delete_unchanged(self, key: str, expected: bytes) -> bool:
        """See :class:`~slipway.store.interface.Store`."""
        path = self._path(key)
        if self.stat(key) is None:
            return False
        with self._translate_errors(key), locked(_lock(path)):
            if self.read(key) != expected:
                return False
            path.unlink()
        return True

    def clean(self, prefix: str, older_than: timedelta = ABANDONED) -> int:
        """See :class:`~slipway.store.interface.Store`."""
        count = 0
        before = time.time() - older_than.total_seconds()
        for folder in self.root.rglob(f"{TEMPORARY}*"):
            target = folder.relative_to(self.root).with_name(folder.name.removeprefix(TEMPORARY))
            if target.as_posix().startswith(prefix):
                with contextlib.suppress(FileNotFoundError):  # its writer has just ended
                    if _last_change(folder) < before:
                        shutil.rmtree(folder, ignore_errors=True)
                        count += 1
        return count

    def swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        """See :class:`~slipway.store.interface.Store`; a lock file excludes those who replace or
        remove, the key itself those who create."""
        if expected is None:
            return self.create(key, data)
        path = self._path(key)
        with self._translate_errors(key), locked(_lock(path)):
            if self.read(key) != expected:
                return False
            with atomic_write(path) as temporary:
                temporary.write_bytes(data)
            return True

    def require_conditional_writes(self, key: str, *, again: bool = False) -> None:
        """See :class:`~slipway.store.interface.Store`: hard links and locks keep them."""

    def _create_from(
        self, key: str, source: BinaryIO, where: str, sha256: str, progress: Progress | None
    ) -> bool:
        if self.stat(key) is not None:
            return False

        def copy(file: BinaryIO) -> None:
            hashing = HashingReader(source, progress or (lambda _: None))
            shutil.copyfileobj(hashing, file, CHUNK)
            if (digest := hashing.drain()) != sha256:
                raise changed(where, digest, sha256)

        return self._create(key, copy)

    def _create(self, key: str, write: Callable[[BinaryIO], object]) -> bool:
        """Create ``key`` with what ``write`` writes, unless it exists; return whether it did."""
        target = self._path(key)
        with self._translate_errors(key), temp_sibling(target) as temporary:
            with temporary.open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())  # or a power cut leaves the name without the bytes
            try:
                os.link(temporary, target)
            except FileExistsError:
                return False
            return True

    @contextlib.contextmanager
    def _translate_errors(self, key: str) -> Iterator[None]:
        """Raise a SlipwayError that says why the file system refuses to write."""
        try:
            yield
        except OSError as error:
            raise SlipwayError(
                f"not written: {error.strerror}",
                where=str(self.root / key),
                fix=REFUSED.get(error.errno or 0, "let your user write to the release store"),
            ) from error


def _lock(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def _last_change(folder: Path) -> float:
    """Return when ``folder`` or a file in it was last written, in seconds since the epoch."""
    return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
