"""Keep lines on this machine's disk until they are complete files, through kills of the process.

A writer has a folder of its own, with a lock that ends with its process. A line is written once it
is in the open journal: after that only the end of the machine can lose it. A rotation splits the
journal by target model and hour into complete files, hands these over, and removes the journal.
Whatever is left of a writer that was killed is recovered by the next one: the same files under the
same names, so a rotation that was cut off is repeated and nothing is there twice.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from slipway.capture.storage.names import file_key, hour_folder

JOURNAL = ".open"
LOCK = "lock"
PRIVATE = 0o700
HOUR_S = 3600.0
# hands a complete file over: its path, and its key below the location
Deliver = Callable[[Path, str], None]


class Group(NamedTuple):
    """What the requests of one file share."""

    endpoint: str
    variant: str
    hour: str
    target: str
    days: int


class Line(NamedTuple):
    """A line with its end, the file that it will be in, and the time of its request in seconds
    since the epoch."""

    data: bytes
    group: Group
    when: float


@dataclass
class Lines:
    """The lines of one group in a journal: where they begin and end, and the times of the first
    and the last request."""

    first: float
    last: float
    spans: list[tuple[int, int]] = field(default_factory=list)

    def add(self, when: float, begin: int, end: int) -> None:
        """Add a line."""
        if when < self.first:
            self.first = when
        elif when > self.last:
            self.last = when
        self.spans.append((begin, end))


class Journal:
    """The open file of a writer: whole lines, in the order in which they were written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.opened = time.monotonic()
        self._groups: dict[Group, Lines] = {}
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)

    def append(self, lines: Sequence[Line]) -> None:
        """Write lines. After an error, such as a full disk, nothing of them is there.

        Raises:
            OSError: they were not written.
        """
        data = b"".join([line.data for line in lines])
        try:
            written = 0
            while written < len(data):
                written += os.write(self._file, data[written:] if written else data)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self.size)
            raise
        for line in lines:
            self._add(line)

    def recover(self) -> int:
        """Read the lines of a journal that was left; return how many bytes of it are not a whole
        line, and are left out: a kill within a write leaves some at its end."""
        left_out = 0
        with self.path.open("rb") as file:
            for line in file:
                try:
                    group, when = group_of_line(line) if line.endswith(b"\n") else (None, None)
                except (ValueError, KeyError, TypeError):
                    group = when = None
                if group is None or when is None:
                    left_out += len(line)
                    self.size += len(line)
                else:
                    self._add(Line(line, group, when))
        return left_out

    def split(self, folder: Path, id: str) -> Iterator[tuple[Path, str]]:
        """Write the lines of each group to a file in ``folder``; yield it and its key."""
        os.fsync(self._file)
        for number, (group, lines) in enumerate(self._groups.items()):
            path = folder / f"{id}-{number}"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "wb") as out:
                for begin, end in lines.spans:
                    out.write(os.pread(self._file, end - begin, begin))
                out.flush()
                os.fsync(out.fileno())
            where = f"{group.endpoint}/{group.variant}/{group.hour}"
            first, last = (
                datetime.fromtimestamp(when, timezone.utc) for when in (lines.first, lines.last)
            )
            count = len(lines.spans)
            yield path, file_key(where, group.target, first, last, count, group.days, id)

    def close(self) -> None:
        """Close the file, which stays."""
        os.close(self._file)

    def _add(self, line: Line) -> None:
        lines = self._groups.get(line.group)
        if lines is None:
            lines = self._groups[line.group] = Lines(line.when, line.when)
        lines.add(line.when, self.size, self.size + len(line.data))
        self.size += len(line.data)


class Spool:
    """The folder of one writer below ``root``. Not safe to use from several threads."""

    def __init__(self, root: Path, deliver: Deliver) -> None:
        self._root = root
        self._deliver = deliver
        self.id = secrets.token_hex(6)
        self.folder = root / self.id
        root.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
        # it has its name once it is locked: before, another writer might take it for abandoned
        beginning = root / f".{self.id}"
        beginning.mkdir(mode=PRIVATE)
        self._lock = os.open(beginning / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        beginning.rename(self.folder)
        self._number = 0
        self._journal: Journal | None = None

    @property
    def size(self) -> int:
        """Return the bytes of the open journal."""
        return self._journal.size if self._journal else 0

    @property
    def age_s(self) -> float:
        """Return the seconds since the open journal's first line; 0 without a journal."""
        return time.monotonic() - self._journal.opened if self._journal else 0.0

    def append(self, lines: Sequence[Line]) -> None:
        """Write lines to the journal, all or none.

        Raises:
            OSError: they were not written.
        """
        if self._journal is None:
            self._number += 1
            self._journal = Journal(self.folder / f"{self.id}-{self._number}{JOURNAL}")
        self._journal.append(lines)

    def rotate(self) -> None:
        """Make complete files of the journal, hand them over, and remove it.

        Raises:
            OSError: a file could not be written; the journal stays, and is recovered later.
        """
        journal, self._journal = self._journal, None
        if journal is not None:
            self._finish(journal)

    def recover(self) -> tuple[int, int]:
        """Hand over what writers left that were killed; return how many journals that were, and
        how many bytes at their ends were not whole lines."""
        journals = cut_off = 0
        for folder in sorted(self._root.iterdir()):
            if folder == self.folder or folder.name.startswith(".") or not folder.is_dir():
                continue
            with _abandoned(folder) as abandoned:
                if not abandoned:
                    continue
                for path in sorted(folder.glob(f"*{JOURNAL}")):
                    journal = Journal(path)
                    cut_off += journal.recover()
                    self._finish(journal)
                    journals += 1
                shutil.rmtree(folder, ignore_errors=True)
        return journals, cut_off

    def close(self) -> None:
        """Rotate, and remove the folder.

        Raises:
            OSError: as :meth:`rotate`; the folder stays.
        """
        try:
            self.rotate()
            shutil.rmtree(self.folder, ignore_errors=True)
        finally:
            os.close(self._lock)

    def _finish(self, journal: Journal) -> None:
        try:
            for path, key in journal.split(self.folder, journal.path.name[: -len(JOURNAL)]):
                self._deliver(path, key)
            journal.path.unlink()
        finally:
            journal.close()


def group_of_line(line: bytes) -> tuple[Group, float]:
    """Return the group of a line that a writer wrote, and its time."""
    ours = json.loads(line)["slipway"]
    when = datetime.fromisoformat(ours["time"]).timestamp()
    days = int(ours["retentionDays"])
    return group_of(ours["endpoint"], ours["variant"], ours["targetModel"], when, days), when


def group_of(endpoint: str, variant: str, target: str, when: float, days: int) -> Group:
    """Return the group of a request at ``when``, in seconds since the epoch."""
    return _group(endpoint, variant, target, when // HOUR_S, days)


@functools.lru_cache(1024)
def _group(endpoint: str, variant: str, target: str, hour: float, days: int) -> Group:
    began = datetime.fromtimestamp(HOUR_S * hour, timezone.utc)
    return Group(endpoint, variant, hour_folder(began), target, days)


@contextlib.contextmanager
def _abandoned(folder: Path) -> Iterator[bool]:
    """Yield whether the writer of ``folder`` has ended; if so, hold its lock against others."""
    descriptor = _lock_of(folder)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock_of(folder: Path) -> int | None:
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR)
    except OSError:
        return None  # it was just removed
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
