"""Files that are either absent or whole: written aside, then renamed into place."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Buffer

CHUNK = 1 << 20  # bytes


class ReadableStream(Protocol):
    """What :func:`sha256_of_stream` needs of a stream."""

    def read(self, size: int, /) -> bytes: ...


def cache_dir(kind: str) -> Path:
    """The folder for cached ``kind``: ``$SLIPWAY_CACHE``, else the user's cache folder."""
    chosen = os.environ.get("SLIPWAY_CACHE")
    if chosen:
        base = Path(chosen)
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slipway"
    folder = base / kind
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def temp_sibling(path: Path) -> Iterator[Path]:
    """Yield a free path in a hidden folder beside ``path``; that folder is removed at the end.

    What a killed writer left there never passes for the real thing, and the next writer of the
    same path removes it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".aside-{path.name}-"
    for stale in path.parent.glob(f"{prefix}*"):
        owner = stale.name.removeprefix(prefix).split("-")[0]
        if not (owner.isdigit() and Path(f"/proc/{owner}").exists()):
            _remove(stale)
    holder = Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=path.parent))
    try:
        yield holder / path.name
    finally:
        _remove(holder)


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a free path, to be made a file or a folder; rename it to ``path`` at the end.

    On an error nothing is left under ``path``, or what was there before.
    """
    with temp_sibling(path) as made:
        yield made
        if made.is_file():
            _flush(made)
        if path.is_dir():
            # a folder cannot be renamed over: the old one steps aside first
            path.rename(made.parent / f"{path.name}.old")
        made.rename(path)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path`` against every other process of this machine."""
    from filelock import FileLock  # with asyncio behind it: not at every start

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path):
        yield


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return sha256_of_stream(file)


def sha256_of_stream(stream: ReadableStream) -> str:
    """Return the SHA-256 of what is left in ``stream``, in hex."""
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


class HashingReader(io.RawIOBase):
    """A readable stream whose bytes are hashed as they are read."""

    def __init__(
        self, stream: ReadableStream, progress: Callable[[int], object] = lambda _: None
    ) -> None:
        self._stream = stream
        self._progress = progress
        self._sha256 = hashlib.sha256()

    def readable(self) -> bool:
        """See :class:`io.RawIOBase`."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """See :class:`io.RawIOBase`."""
        view = memoryview(buffer)
        data = self._stream.read(len(view))
        view[: len(data)] = data
        self._sha256.update(data)
        self._progress(len(data))
        return len(data)

    def drain(self) -> str:
        """Read what is left; return the SHA-256 of all bytes, in hex."""
        while self.read(CHUNK):
            pass
        return self._sha256.hexdigest()


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
