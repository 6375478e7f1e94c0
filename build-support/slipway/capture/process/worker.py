"""The capturing process as its server sees it: frames in, counts out."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import slipway
from slipway.capture.process.frame import Frame, body_bytes, write_frame
from slipway.errors import SlipwayError

MAIN = "slipway.capture.process.main"
PIPE = 1 << 20  # bytes; as much as Linux lets any user have


class Sent(NamedTuple):
    """What one frame had: requests, bytes of their bodies, and how many of each target model."""

    requests: int
    bytes: int
    targets: Counter[str]


class Worker:
    """A running process; ``counts`` are those that it has reported.

    Raises:
        SlipwayError: it cannot write to its location.
    """

    def __init__(self, orders: str) -> None:
        library = str(Path(slipway.__file__).parent.parent)
        paths = [library, *filter(None, [os.environ.get("PYTHONPATH")])]
        # in this session: to have the lowest priority within another one would mean nothing
        self._process = subprocess.Popen(
            [sys.executable, "-m", MAIN, orders],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._input = self._process.stdin
        self._output = self._process.stdout
        with contextlib.suppress(OSError):  # the user has as many pipes as allowed
            fcntl.fcntl(self._input.fileno(), fcntl.F_SETPIPE_SZ, PIPE)
        self._check_start()
        self.counts: dict[str, dict[str, int]] = {}
        self.is_running = True
        self._sent: deque[Sent] = deque()
        self._reports = self._taken = 0  # each is written by one thread
        self._thread = threading.Thread(target=self._listen, name="slipway-capture", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def send(self, frame: Frame) -> None:
        """Hand a frame over; wait while the process has enough to do. If it has ended, the frame
        is among those that it never reports."""
        exchanges = frame.exchanges
        targets = Counter(map(attrgetter("target"), exchanges))
        self._sent.append(Sent(len(exchanges), body_bytes(exchanges), targets))
        try:
            write_frame(self._input.fileno(), frame)
        except OSError:
            self.is_running = False

    def reported(self) -> Iterator[Sent]:
        """Yield the frames that were reported since the last call."""
        while self._taken < self._reports:
            self._taken += 1
            yield self._sent.popleft()

    def unreported(self) -> Iterator[Sent]:
        """Yield the frames that were not."""
        while self._sent:
            yield self._sent.popleft()

    def close(self) -> None:
        """Say that nothing more comes."""
        with contextlib.suppress(OSError):
            self._input.close()

    def join(self, timeout_s: float) -> bool:
        """Return whether the process has ended within ``timeout_s``."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        self._thread.join()
        return True

    def _check_start(self) -> None:
        line = self._output.readline()
        if not line:
            code = self._process.wait()
            raise SlipwayError(
                f"the process that writes captures ended with exit code {code}",
                fix="read its message above",
            )
        error = json.loads(line).get("error")
        if error is not None:
            self._process.wait()
            self._input.close()
            self._output.close()
            raise SlipwayError(error[0], where=error[1], fix=error[2])

    def _listen(self) -> None:
        for line in self._output:
            self.counts = json.loads(line)["counts"]
            self._reports += 1
        self.is_running = False
        self._output.close()
