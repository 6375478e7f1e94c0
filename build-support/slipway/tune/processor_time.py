"""The processor time that a process and all processes below it have used."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

NANOSECONDS = 1e9


def processor_seconds(ancestor: int) -> float:
    """Return the seconds that all processes below ``ancestor`` have used so far.

    Linux counts each thread in nanoseconds (proc(5): schedstat), and processes in hundredths of a
    second, in which a short block of requests may take none. Threads that have ended are in the
    latter only: for differences between two calls, during which servers end no threads, the former
    is exact.
    """
    total = 0.0
    for process in psutil.Process(ancestor).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            exact = _threads_seconds(process.pid)
            if exact is None:
                times = process.cpu_times()
                exact = times.user + times.system
            total += exact
    return total


def _threads_seconds(process: int) -> float | None:
    total = 0
    try:
        for thread in Path(f"/proc/{process}/task").iterdir():
            with suppress(ProcessLookupError, FileNotFoundError):
                total += int((thread / "schedstat").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None  # the process has ended, or this kernel does not count
    return total / NANOSECONDS or None
