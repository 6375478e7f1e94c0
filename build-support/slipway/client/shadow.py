"""Jobs in the background: a few threads, and a queue that drops what does not fit."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

THREADS = 2
QUEUE_LENGTH = 32  # requests of up to 6 MiB each

Job = Callable[[], None]

log = logging.getLogger(__name__)


class ShadowQueue:
    """Run jobs in ``threads`` threads, with at most ``length`` of them waiting in the queue.

    The threads start with the first job and never keep the process from ending.
    """

    def __init__(self, threads: int = THREADS, length: int = QUEUE_LENGTH) -> None:
        self._count = threads
        self._jobs: queue.Queue[Job | None] = queue.Queue(length)
        self._threads: list[threading.Thread] = []
        self._starting = threading.Lock()
        self._closed = False

    def offer(self, job: Job) -> bool:
        """Return at once whether ``job`` will be run: not if the queue is full or closed."""
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
