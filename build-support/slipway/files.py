"""Write files atomically, lock them, and hash streams."""

from __future__ import annotations

import contextlib
import errno
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
HIDDEN = ".aside-"  # with which the names of temporary folders begin
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # the errors of a full disk


class ReadableStream(Protocol):
    """A stream that :class:`HashingReader` and :func:`digest_of_stream` read."""

    def read(self, size: int, /) -> bytes: ...


class WritableStream(Protocol):
    """A stream that :class:`HashingWriter` writes to."""

    def write(self, data: bytes, /) -> int: ...


def cache_root() -> Path:
    """Return the folder of all caches: ``$SLIPWAY_CACHE``, or one in the user's cache folder."""
    configured = os.environ.get("SLIPWAY_CACHE")
    if configured:
        return Path(configured)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slipway"


def cache_dir(kind: str) -> Path:
    """Return the folder for cached ``kind``."""
    folder = cache_root() / kind
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def temp_sibling(path: Path) -> Iterator[Path]:
    """Yield an unused path in a hidden folder next to ``path``; remove that folder at the end.

    A file that a killed writer left there never passes for ``path``, and the next writer of the
    same path removes it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{HIDDEN}{path.name}-"
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
def atomic_write(path: Path, size: int | None = None) -> Iterator[Path]:
    """Yield an unused path for a file or a folder; rename it to ``path`` at the end.

    After an error ``path`` is as it was before: absent, or with its previous content. An error of a
    full disk says how much space the content takes: ``size`` bytes, where they are known.
    """
    with temp_sibling(path) as temporary:
        try:
            yield temporary
            if temporary.is_file():
                _flush(temporary)
        except OSError as error:
            _add_path(error, path, temporary, size)
            raise
        if path.is_dir():
            # rename cannot replace a folder: move the old one away first
            path.rename(temporary.parent / f"{path.name}.old")
        temporary.rename(path)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path`` against every other process of this machine."""
    from filelock import FileLock  # imports asyncio: not at every start

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path):
        yield


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return sha256_of_stream(file)


def sha256_of_stream(stream: ReadableStream) -> str:
    """Return the SHA-256 of the rest of ``stream``, in hex."""
    return digest_of_stream(stream, "sha256")


def digest_of_stream(stream: ReadableStream, algorithm: str) -> str:
    """Return the digest of the rest of ``stream``, in hex; ``algorithm`` as in ``hashlib``."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


class HashingReader(io.RawIOBase):
    """A readable stream whose bytes are hashed as they are read.

    ``progress`` is called with the number of bytes of each read.
    """

    def __init__(
        self,
        stream: ReadableStream,
        progress: Callable[[int], object] = lambda _: None,
        *,
        algorithm: str = "sha256",
    ) -> None:
        self._stream = stream
        self._progress = progress
        self._digest = hashlib.new(algorithm, usedforsecurity=False)

    def readable(self) -> bool:
        """See :class:`io.RawIOBase`."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """See :class:`io.RawIOBase`."""
        view = memoryview(buffer)
        data = self._stream.read(len(view))
        view[: len(data)] = data
        self._digest.update(data)
        self._progress(len(data))
        return len(data)

    def drain(self) -> str:
        """Read the rest; return the digest of all bytes, in hex."""
        while self.read(CHUNK):
            pass
        return self._digest.hexdigest()


class HashingWriter:
    """A writable stream whose bytes are hashed and counted as they are written."""

    def __init__(self, stream: WritableStream) -> None:
        self._stream = stream
        self._sha256 = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the bytes that were written, in hex."""
        return self._sha256.hexdigest()

    def write(self, data: bytes, /) -> int:
        """Write ``data``; return its length."""
        self._sha256.update(data)
        self.size += len(data)
        return self._stream.write(data)


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _add_path(error: OSError, path: Path, partial: Path, size: int | None) -> None:
    """Add path and size to the error of a full disk, which a ``write`` raises without them."""
    if error.errno not in FULL:
        return
    error.filename = str(path)
    # the attribute of Python 3.11's add_note, which the client's older Pythons lack
    needed = f"about {size:,} bytes" if size else f"more than {_written(partial):,} bytes"
    error.__notes__ = [f"{path.name} needs {needed}"]


def _written(path: Path) -> int:
    files = [path, *path.rglob("*")] if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
