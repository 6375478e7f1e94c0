"""The processor time that all processes below a process have used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

NANOSECONDS = 1e9


class ProcessorTime:
    """Counts the processor time of all processes below ``ancestor``.

    Linux counts each thread in nanoseconds (proc(5): schedstat), and processes in hundredths of a
    second, in which a short block of requests may take none. A thread that has ended, such as one
    of a model that was unloaded, is in neither any more: what it had used at the call before stays
    counted.
    """

    def __init__(self, ancestor: int) -> None:
        self._ancestor = ancestor
        self._used: dict[tuple[int, int], float] = {}
        self._ended = 0.0

    def seconds(self) -> float:
        """Return the seconds that were used so far: never less than at the call before."""
        now = dict(self._threads())
        # the number of a thread that has ended may be in use again
        self._ended += sum(s for thread, s in self._used.items() if now.get(thread, 0.0) < s)
        self._used = now
        return self._ended + sum(now.values())

    def _threads(self) -> Iterator[tuple[tuple[int, int], float]]:
        for process in psutil.Process(self._ancestor).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                exact = _threads_seconds(process.pid)
                if exact is None:
                    times = process.cpu_times()
                    exact = {0: times.user + times.system}
                for thread, used in exact.items():
                    yield (process.pid, thread), used


def _threads_seconds(process: int) -> dict[int, float] | None:
    found: dict[int, float] = {}
    try:
        for thread in Path(f"/proc/{process}/task").iterdir():
            with suppress(ProcessLookupError, FileNotFoundError):
                used = int((thread / "schedstat").read_text().split()[0])
                found[int(thread.name)] = used / NANOSECONDS
    except (OSError, ValueError, IndexError):
        return None  # the process has ended, or this kernel does not count
    return found if any(found.values()) else None
