"""Run many small functions on all cores, in forks of this process."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any

WORTHWHILE = 48  # tasks: to start the forks takes as long as several of them
CHUNKS = 8  # for each fork, so that all of them end at about the same time

_tasks: Sequence[Callable[[], Any]] = ()  # which the forks inherit


@contextmanager
def start_tasks[T](tasks: Sequence[Callable[[], T]]) -> Iterator[Iterator[Callable[[], T]]]:
    """Yield for each task, in their order, a function that returns its result.

    The tasks run in forks where that is worthwhile and safe: not next to threads of this process,
    nor on macOS, whose libraries do not survive a fork. The first one runs here before, so that the
    forks inherit what it imports. A task that raises an exception, or whose fork is killed, runs
    again in this process when its function is called.
    """
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
    if len(tasks) < WORTHWHILE or cores < 2 or threading.active_count() > 1:
        yield iter(tasks)
        return
    # not at every start
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    global _tasks
    _tasks = tasks
    first = _run(0)
    pool = ProcessPoolExecutor(cores, get_context("fork"), _leave_interrupts_to_parent)
    try:
        chunk = max(1, len(tasks) // (cores * CHUNKS))
        others = pool.map(_run, range(1, len(tasks)), chunksize=chunk)
        yield _results(tasks, chain([first], others))
    finally:
        pool.shutdown(cancel_futures=True)
        _tasks = ()


def _results[T](
    tasks: Sequence[Callable[[], T]], outcomes: Iterator[tuple[T] | None]
) -> Iterator[Callable[[], T]]:
    from concurrent.futures.process import BrokenProcessPool

    for number, task in enumerate(tasks):
        try:
            outcome = next(outcomes)
        except BrokenProcessPool:
            yield from tasks[number:]
            return
        yield task if outcome is None else partial(_only, outcome)


def _only[T](outcome: tuple[T]) -> T:
    return outcome[0]


def _run(number: int) -> tuple[Any] | None:
    try:
        return (_tasks[number](),)
    except Exception:
        return None  # the parent calls it again, for the exception with its traceback


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
