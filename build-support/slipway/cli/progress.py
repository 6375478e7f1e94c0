"""Show progress on a terminal; elsewhere, of what takes minutes, a line now and then."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

LINE_S = 30.0


@contextlib.contextmanager
def working(what: str) -> Iterator[None]:
    """Show a spinner with ``what`` and the elapsed seconds, if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task(what, total=None)
        yield


@contextlib.contextmanager
def counting(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar with ``label`` and how many of a number are done, if standard error is a terminal;
    elsewhere a line every half minute.

    Yields a function to call, from any thread, with how many are done and the number of all.
    """
    lock = threading.Lock()
    if not sys.stderr.isatty():
        last = time.monotonic()

        def print_now_and_then(done: int, total: int) -> None:
            nonlocal last
            with lock:
                if time.monotonic() > last + LINE_S:
                    last = time.monotonic()
                    print(f"{label}: {done:,} of {total:,}", file=sys.stderr, flush=True)

        yield print_now_and_then
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Remaining(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextlib.contextmanager
def uploading(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar with ``label``, bytes, speed and time left, if standard error is a terminal.

    Yields a function to call, from any thread, with the bytes that have arrived since the last
    call. ``total`` is in bytes, ``None`` if it is unknown.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda count: progress.advance(task, count)
