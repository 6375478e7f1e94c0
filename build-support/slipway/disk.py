"""Errors of full and read-only disks: which path, how much space, and what to do."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from slipway.errors import SlipwayError
from slipway.files import FULL, HIDDEN, cache_root
from slipway.units import format_bytes

# what programs and libraries print, or raise without a number
TEXTS = {
    "No space left on device": errno.ENOSPC,
    "database or disk is full": errno.ENOSPC,
    "Disk quota exceeded": errno.EDQUOT,
    "File too large": errno.EFBIG,
    "Read-only file system": errno.EROFS,
    "attempt to write a readonly database": errno.EROFS,
}
NO_TEMPORARY = "No usable temporary directory"
PATH = re.compile(r"[`'\"](/[^`'\"]+)[`'\"]|(/[^\s:`'\"]+)")


class DiskError(SlipwayError):
    """A disk is full, or does not accept what is written."""


@contextlib.contextmanager
def explain_disk_errors() -> Iterator[None]:
    """Raise a :class:`DiskError` instead of an ``OSError`` of a full or read-only disk."""
    try:
        yield
    except OSError as error:
        explained = find_disk_error(error)
        if explained is None:
            raise
        raise explained from error


def find_disk_error(error: BaseException) -> DiskError | None:
    """Return the full or read-only disk that ``error``, or what caused it, is about, if any."""
    seen: set[int] = set()
    current: BaseException | None = error
    explained = isinstance(error, SlipwayError)
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, DiskError):
            return current
        number = _number(current)
        refused = isinstance(current, PermissionError)
        if number is not None and not (explained and refused):
            return _describe(current, number)
        current = current.__cause__ or current.__context__
    return None


def disk_error_of_program(text: str, what: str) -> DiskError | None:
    """Return the disk's error that a program has printed, if it did; ``what`` is its task."""
    number = next((number for words, number in TEXTS.items() if words in text), None)
    if number is None:
        return None
    line = next(line for line in text.splitlines() if any(words in line for words in TEXTS))
    found = PATH.search(line)
    path = Path((found[1] or found[2]) if found else _temporary())
    return _error(number, path, f"{what}: {line.strip()}")


def _number(error: BaseException) -> int | None:
    if isinstance(error, OSError) and error.errno in FULL | {errno.EROFS}:
        return error.errno
    if isinstance(error, PermissionError):
        # a file that may not be read is no matter of the disk
        path = _path(error)
        readable = path is not None and path.exists() and os.access(path, os.R_OK)
        return error.errno if path is not None and (readable or not path.exists()) else None
    text = str(error)
    if isinstance(error, SlipwayError) or (isinstance(error, OSError) and error.errno):
        return errno.ENOSPC if NO_TEMPORARY in text else None
    if NO_TEMPORARY in text:
        return errno.ENOSPC
    return next((number for words, number in TEXTS.items() if words in text), None)


def _describe(error: BaseException, number: int) -> DiskError:
    if NO_TEMPORARY in str(error):
        return _error(number, Path(_temporary()), "no folder for temporary files can be written")
    path = _path(error) or Path.cwd()
    return _error(number, path, "; ".join(getattr(error, "__notes__", ())))


def _error(number: int, path: Path, detail: str) -> DiskError:
    what = os.strerror(number)
    if number in FULL:
        what += _space(number, path)
    if detail:
        what += f": {detail}"
    return DiskError(what, where=str(path), fix=_fix(number, path))


def _space(number: int, path: Path) -> str:
    """Return how much is left where ``path`` is: a folder above it, if it is not there."""
    folder = next(p for p in (path, *path.absolute().parents) if p.exists())
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    if number == errno.EFBIG:
        return " for this disk or the limit of `ulimit -f`"
    if disk.f_files and not disk.f_favail:
        return f" (no file more can be created there; {format_bytes(free)} are free)"
    return f" ({format_bytes(free)} of {format_bytes(shutil.disk_usage(folder).total)} are free)"


def _fix(number: int, path: Path) -> str:
    if number == errno.EFBIG:
        return "raise the limit (ulimit -f unlimited), or write to another file system"
    action = "free space there" if number in FULL else "let your user write there"
    text = str(path.absolute())
    if text.startswith(str(cache_root().absolute())):
        return f"{action}, or set SLIPWAY_CACHE to a folder on another disk"
    if text.startswith(_temporary()) and not str(Path.cwd()).startswith(_temporary()):
        return f"{action}, or set TMPDIR to a folder on another disk"
    return f"{action}, or work in a folder on another disk"


def _path(error: BaseException) -> Path | None:
    """Return the path of an error, or that of the file that was open for writing when it rose."""
    if isinstance(error, shutil.Error):  # of copytree: (source, target, why) of each file
        return _final(Path(str(error.args[0][0][1])))
    if isinstance(error, OSError):
        name = error.filename2 or error.filename
        if isinstance(name, str | bytes | os.PathLike):
            return _final(Path(os.fsdecode(name)))
    found = None
    frame: TracebackType | None = error.__traceback__
    while frame is not None:
        for value in list(frame.tb_frame.f_locals.values()):
            if hasattr(value, "write") and isinstance(getattr(value, "name", None), str):
                found = Path(value.name)
        frame = frame.tb_next
    return found and _final(found)


def _temporary() -> str:
    # not tempfile's: it looks for a folder that can be written
    return os.environ.get("TMPDIR") or "/tmp"


def _final(path: Path) -> Path:
    """Return the path that is being written, or its folder, of one that ``temp_sibling`` gave."""
    parts = [part for part in path.parts if not part.startswith(HIDDEN)]
    return Path(*parts)
