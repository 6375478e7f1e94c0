"""A folder as it is on disk: whether it changed since, by its files' stat data or by content."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

CONFIG = "/config.pbtxt"
CACHE, BYTECODE, CHECKOUT = "__pycache__", ".pyc", ".git"
# the content of larger files, which are weights, is not read again: their stat data stands for it
LARGE = 4 << 20  # bytes
# clocks of file systems count in steps of up to two seconds: within one, a second change of a file
# would leave its times as they are
STEP_NS = 2_000_000_000
UNREAD = "unread"


class _Entry(NamedTuple):
    """A file or folder; ``status`` is ``None`` of a folder, and of what cannot be read.

    The times of folders are left out: bytecode comes and goes, and their entries are listed.
    """

    name: str
    status: os.stat_result | None
    mark: str = ""


@dataclass(frozen=True)
class FolderState:
    """A folder and all that is in it, without bytecode.

    ``stat`` is a digest of names, modes, sizes, inodes and times; ``newest`` is the latest change
    time in nanoseconds. ``configs`` are the names of the folders in it with a ``config.pbtxt``.
    ``is_whole`` is False where it leads to what was not looked at: to a folder elsewhere, or into a
    git repository of its own.
    """

    folder: str
    stat: str
    newest: int
    configs: tuple[str, ...]
    is_whole: bool
    entries: tuple[_Entry, ...] = field(repr=False)

    def is_settled(self, at_ns: int) -> bool:
        """Return whether any change of a file after the time ``at_ns`` changes ``stat``."""
        return self.newest < at_ns - STEP_NS

    def content(self) -> str:
        """Return a digest of names, modes and bytes, the same in every checkout of a commit.

        Raises:
            OSError: a file cannot be read.
        """
        digest = hashlib.sha256()
        for name, status, mark in self.entries:
            digest.update(_encoded(f"{name}\0{mark}\0"))
            if status is None:
                continue
            if status.st_size > LARGE or not stat.S_ISREG(status.st_mode):
                digest.update(_identity(status).encode())
            else:
                with open(f"{self.folder}/{name}", "rb") as file:
                    content = hashlib.sha256(file.read())
                digest.update(f"{status.st_mode:o} {content.hexdigest()}".encode())
        return digest.hexdigest()


def read_folder(folder: Path) -> FolderState:
    """Return the state of a folder, which may not exist. Links are followed to files."""
    entries: list[_Entry] = []
    _walk(str(folder), "", entries)
    entries.sort(key=itemgetter(0))
    newest, lines, configs = 0, [], []
    for name, status, mark in entries:
        if status is None:
            lines.append(f"{name}\0{mark}")
            continue
        lines.append(f"{name}\0{mark}\0{_identity(status)}")
        newest = max(newest, status.st_ctime_ns)
        if name.endswith(CONFIG) and name.count("/") == 1:
            configs.append(name.removesuffix(CONFIG))
    return FolderState(
        str(folder),
        hashlib.sha256(_encoded("\n".join(lines))).hexdigest(),
        newest,
        tuple(configs),
        not any(entry.mark == UNREAD for entry in entries),
        tuple(entries),
    )


def identity_of(file: Path) -> str:
    """Return what changes with any change of a file; empty where there is none."""
    try:
        return _identity(file.stat())
    except OSError:
        return ""


def _walk(folder: str, prefix: str, found: list[_Entry]) -> None:
    try:
        with os.scandir(folder) as listed:
            entries = list(listed)
    except FileNotFoundError:
        found.append(_Entry(prefix, None, "missing"))
        return
    except OSError:
        found.append(_Entry(prefix, None, UNREAD))
        return
    is_cache = prefix.endswith(f"{CACHE}/")
    for entry in entries:
        name = prefix + entry.name
        if is_cache and name.endswith(BYTECODE):
            continue
        try:
            if entry.is_symlink():
                found.append(_link(name, entry.path))
            elif not entry.is_dir(follow_symlinks=False):
                found.append(_Entry(name, entry.stat(follow_symlinks=False)))
            else:
                before = len(found)
                _walk(entry.path, f"{name}/", found)
                if len(found) > before or entry.name != CACHE:
                    mark = UNREAD if entry.name == CHECKOUT else ""
                    found.append(_Entry(f"{name}/", None, mark))
        except OSError:
            found.append(_Entry(name, None, UNREAD))


def _link(name: str, path: str) -> _Entry:
    target = f"link to {os.readlink(path)}, {os.path.realpath(path)}"
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return _Entry(name, None, target)
    if stat.S_ISDIR(status.st_mode):
        return _Entry(name, None, UNREAD)
    return _Entry(name, status, target)


def _identity(status: os.stat_result) -> str:
    # no program can set the change time: it tells of new content under an old time
    return (
        f"{status.st_mode:o} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
        f" {status.st_ino} {status.st_dev}"
    )


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
