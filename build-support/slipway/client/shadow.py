"""Jobs beside the answers: a few threads, and a queue that drops what does not fit."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

THREADS = 2
WAITING = 32  # of up to 6 MiB each

type Job = Callable[[], None]

log = logging.getLogger(__name__)


class Beside:
    """Runs jobs in the background, in ``threads`` threads, with at most ``waiting`` in the queue.

    The threads start with the first job and never keep the process from ending.
    """

    def __init__(self, threads: int = THREADS, waiting: int = WAITING) -> None:
        self._count = threads
        self._jobs: queue.Queue[Job | None] = queue.Queue(waiting)
        self._threads: list[threading.Thread] = []
        self._starting = threading.Lock()
        self._closed = False

    def offer(self, job: Job) -> bool:
        """Whether ``job`` will be run; if the queue is full it will not. Returns at once."""
        if self._closed:
            return False
        self._start()
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            return False
        return True

    def close(self) -> None:
        """Wait until the jobs in the queue are done, and end the threads."""
        self._closed = True
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._threads = []

    def _start(self) -> None:
        with self._starting:
            while len(self._threads) < self._count:
                thread = threading.Thread(target=self._run, name="slipway-shadow", daemon=True)
                thread.start()
                self._threads.append(thread)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:
                # nobody waits for it: its error must not end the thread, nor go unseen
                log.exception("a shadow's job failed")
