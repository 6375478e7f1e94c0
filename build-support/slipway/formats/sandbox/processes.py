"""The memory of a process and of all that it has started; and their end."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

# of a file, pages can be dropped: those of memory cannot
MEMORY = re.compile(rb"^Rss(?:Anon|Shmem):\s+(\d+) kB", re.MULTILINE)


def tree(root: int) -> Iterator[int]:
    """Yield ``root`` and its descendants that live."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            # the program's name, in brackets, may hold anything
            fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
            if fields[0] != b"Z":
                parents.setdefault(int(fields[1]), []).append(int(folder.name))
    pending = [root]
    while pending:
        process = pending.pop()
        yield process
        pending += parents.get(process, [])


def memory(root: int) -> int:
    """Return the bytes of memory that ``root`` and its descendants hold."""
    total = 0
    for process in tree(root):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{process}/status").read_bytes()
            total += sum(int(kilobytes) << 10 for kilobytes in MEMORY.findall(status))
    return total


def kill_descendants(root: int) -> None:
    """Kill all that ``root``, which adopts what its children leave, has started."""
    while descendants := [process for process in tree(root) if process != root]:
        for process in descendants:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
