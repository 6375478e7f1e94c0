"""The embedded release store: a folder, so that publishing works on a fresh laptop."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from slipway.errors import SlipwayError
from slipway.files import aside, locked, sha256_of, written_aside
from slipway.store.directory_reader import ABSENT, DirectoryReader
from slipway.store.interface import ABANDONED, Progress, Reader, changed

CHUNK = 1 << 20
ASIDE = ".aside-"
# what a file system says that has no room, and how to mend it
ROOM = "free space on its disk, or raise your quota"
REFUSED = {
    errno.ENOSPC: ROOM,
    errno.EDQUOT: ROOM,
    errno.EFBIG: "its file system takes no file of that size: use another one",
    errno.ENAMETOOLONG: "choose a shorter name",
    **dict.fromkeys(
        (errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.EPERM, errno.EXDEV),
        "its file system has no hard links, by which a name is given once: use another one",
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
        """See :class:`~slipway.store.interface.Store`; the bytes are hashed while they are copied."""
        with source.open("rb") as file:
            return self._create_from(key, file, str(source), sha256, progress)

    def copy(self, source: Reader, source_key: str, key: str, sha256: str) -> bool:
        """See :class:`~slipway.store.interface.Store`."""
        with source.open(source_key) as stream:
            return self._create_from(key, stream, source_key, sha256, None)

    def _create_from(
        self, key: str, file: BinaryIO, where: str, sha256: str, progress: Progress | None
    ) -> bool:
        if self.stat(key) is not None:
            return False

        def copied(out: BinaryIO) -> None:
            digest = hashlib.sha256()
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                out.write(chunk)
                if progress:
                    progress(len(chunk))
            if digest.hexdigest() != sha256:
                raise changed(where, digest.hexdigest(), sha256)

        return self._claimed(key, copied)

    def create(self, key: str, data: bytes) -> bool:
        """See :class:`~slipway.store.interface.Store`."""
        return self._claimed(key, lambda out: out.write(data))

    def _claimed(self, key: str, write: Callable[[BinaryIO], object]) -> bool:
        """Give what ``write`` writes the name ``key``, unless that is taken."""
        target = self._path(key)
        with self._writing(key), aside(target) as made:
            with made.open("wb") as out:
                write(out)
                out.flush()
                os.fsync(out.fileno())  # else a power cut leaves the name and no bytes
            try:
                os.link(made, target)
            except FileExistsError:
                return False
            return True

    def digest(self, key: str) -> str | None:
        """See :class:`~slipway.store.interface.Store`."""
        try:
            return sha256_of(self._path(key))
        except OSError as error:
            if error.errno in ABSENT:
                return None
            raise self._unread(key, error) from error

    def delete(self, key: str) -> bool:
        """See :class:`~slipway.store.interface.Store`."""
        path = self._path(key)
        if self.stat(key) is None:
            return False
        with self._writing(key), locked(_lock(path)):
            try:
                path.unlink()
            except FileNotFoundError:
                return False
        return True

    def clean(self, prefix: str, older_than: timedelta = ABANDONED) -> int:
        """See :class:`~slipway.store.interface.Store`."""
        count = 0
        before = time.time() - older_than.total_seconds()
        for left in self.root.rglob(f"{ASIDE}*"):
            of = left.relative_to(self.root).with_name(left.name.removeprefix(ASIDE))
            if of.as_posix().startswith(prefix):
                with contextlib.suppress(FileNotFoundError):  # its writer has just ended
                    if _newest(left) < before:
                        shutil.rmtree(left, ignore_errors=True)
                        count += 1
        return count

    def swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        """See :class:`~slipway.store.interface.Store`; a lock file keeps those out who replace or
        remove, the key itself those who create."""
        if expected is None:
            return self.create(key, data)
        path = self._path(key)
        with self._writing(key), locked(_lock(path)):
            if self.read(key) != expected:
                return False
            with written_aside(path) as made:
                made.write_bytes(data)
            return True

    @contextlib.contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        """Say why the file system refuses to write."""
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


def _newest(folder: Path) -> float:
    """When something was last written in ``folder``."""
    return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
