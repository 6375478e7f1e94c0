"""What Slipway keeps to save time, and its removal by age and size.

An entry is a folder or a file of a kind: an environment, an installed tool, an object of DVC's.
All of them can be made or fetched again. What was used within the last hour is never removed, as
another process may be reading it; neither is what a process runs from or was started with.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from slipway.files import cache_root
from slipway.units import format_bytes

LIMIT = "SLIPWAY_CACHE_MB"
LIMIT_MB = 50_000
IN_USE_S = 3600.0
DVC = "weights (.dvc/cache)"
MD5 = re.compile(r"\bmd5: ([0-9a-f]{32})(?:\.dir)?\b")
NOT_ENTRIES = (".lock", ".guard")
REMAINS = ".trim-"  # of an interrupted removal


@dataclass(frozen=True)
class Entry:
    """``used`` is in seconds since 1970, as is ``time.time()``."""

    kind: str
    path: Path
    size: int
    used: float


def mark_used(path: Path) -> None:
    """Note that an entry is used now, if its folder can be written to."""
    with contextlib.suppress(OSError):
        os.utime(path)


def find_entries(root: Path | None = None) -> list[Entry]:
    """Return the entries of the user's cache, and of DVC's cache in the checkout ``root``."""
    found = []
    base = cache_root()
    for kind in sorted(base.iterdir()) if base.is_dir() else ():
        if not kind.is_dir() or kind.is_symlink():
            continue
        for path in sorted(kind.iterdir()):
            unfinished = path.name.startswith(".") and not path.name.startswith(REMAINS)
            if not (unfinished or path.is_symlink() or path.name.endswith(NOT_ENTRIES)):
                found.append(Entry(kind.name, path, _size(path), _last_use(path)))
    return found + (list(_dvc_objects(root)) if root else [])


def trim(
    entries: list[Entry], *, to: int | None = None, unused_for: float | None = None
) -> list[Entry]:
    """Remove the entries unused for so many seconds, then those unused for longest, until the
    others have ``to`` bytes. Return what was removed."""
    now = time.time()
    running = list(_running())
    removable = [
        entry
        for entry in sorted(entries, key=lambda entry: entry.used)
        if now - entry.used > IN_USE_S
        and not any(place.is_relative_to(entry.path) for place in running)
    ]
    left, removed = sum(entry.size for entry in entries), []
    for entry in removable:
        old = unused_for is not None and now - entry.used > unused_for
        if old or (to is not None and left > to):
            _remove(entry.path)
            left -= entry.size
            removed.append(entry)
    return removed


def trim_above_limit() -> None:
    """Trim the user's cache to 80 % of ``SLIPWAY_CACHE_MB`` (50,000) where it has more, and say so
    on standard error. 0 is no limit."""
    configured = os.environ.get(LIMIT, "")
    limit = (int(configured) if configured.isdecimal() else LIMIT_MB) * 1_000_000
    entries = find_entries() if limit else []
    if sum(entry.size for entry in entries) <= limit:
        return
    removed = trim(entries, to=limit * 4 // 5)
    freed = format_bytes(sum(entry.size for entry in removed))
    print(
        f"the cache had more than {format_bytes(limit)} ({LIMIT}): {freed} removed",
        file=sys.stderr,
    )


def _dvc_objects(root: Path) -> Iterator[Entry]:
    """Yield DVC's objects. Those that a pointer of this checkout names count as used now."""
    objects = root / ".dvc" / "cache" / "files" / "md5"
    named = set(_named(root, objects))
    for path in sorted(objects.glob("??/*")):
        md5 = path.parent.name + path.name.removesuffix(".dir")
        used = time.time() if md5 in named else path.lstat().st_mtime
        yield Entry(DVC, path, path.lstat().st_size, used)


def _named(root: Path, objects: Path) -> Iterator[str]:
    for file in (*root.glob("models/**/*.dvc"), root / "dvc.lock"):
        for md5 in MD5.findall(file.read_text(encoding="utf-8")) if file.is_file() else ():
            yield md5
            folder = objects / md5[:2] / f"{md5[2:]}.dir"
            if folder.is_file():
                yield from (str(part["md5"]) for part in json.loads(folder.read_text()))


def _size(path: Path) -> int:
    size = 0
    with contextlib.suppress(FileNotFoundError):  # removed meanwhile
        size = path.lstat().st_size
    if path.is_dir() and not path.is_symlink():
        with contextlib.suppress(FileNotFoundError):
            size += sum(_size(child) for child in path.iterdir())
    return size


def _last_use(path: Path) -> float:
    # launchers touch the file that they write last
    times = [0.0]
    for file in (path, path / "complete"):
        with contextlib.suppress(OSError):
            times.append(file.lstat().st_mtime)
    return max(times)


def _running() -> Iterator[Path]:
    """Yield what processes run from: programs, working directories, this Python, and the paths in
    their arguments, such as the program of a virtual environment or a server's backends."""
    yield from (Path(sys.prefix), Path(sys.executable))
    for process in Path("/proc").glob("[0-9]*"):
        for link in ("exe", "cwd"):
            with contextlib.suppress(OSError):  # another user's, or ended
                yield Path(os.readlink(process / link))
        with contextlib.suppress(OSError):
            for argument in os.fsdecode((process / "cmdline").read_bytes()).split("\0"):
                path = argument.rpartition("=")[2]
                if path.startswith("/"):
                    yield Path(path)


def _remove(path: Path) -> None:
    aside = path.with_name(f"{REMAINS}{os.getpid()}-{path.name}")
    with contextlib.suppress(FileNotFoundError):
        path.rename(aside)  # no reader finds half of it
        if aside.is_dir():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.unlink()
