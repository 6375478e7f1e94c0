"""The capturing process as its server sees it: frames in, counts out."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from operator import attrgetter
from pathlib import Path
from typing import IO, NamedTuple

import slipway
from slipway.capture.process.frame import Frame, body_bytes, write_frame
from slipway.errors import SlipwayError

MAIN = "slipway.capture.process.main"
PIPE = 1 << 20  # bytes; as much as Linux lets any user have
CHUNK = 1 << 16


class Sent(NamedTuple):
    """What one frame had: requests, bytes of their bodies, and how many of each target model."""

    requests: int
    bytes: int
    targets: Counter[str]


class Worker:
    """A running process; ``counts`` are those that it has reported. For one thread.

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
        self._reports: deque[bytes] = deque()  # that nobody has asked for yet
        self._rest = b""  # the beginning of one
        for pipe in (self._input, self._output):
            os.set_blocking(pipe.fileno(), False)

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
            write_frame(self._input.fileno(), frame, self._wait_for_room)
        except OSError:
            self._read_reports()
            self.is_running = False

    def reported(self) -> Iterator[Sent]:
        """Yield the frames that were reported since the last call, and take over their counts."""
        if self.is_running:
            self._read_reports()
        while self._reports:
            self.counts = self.counts | json.loads(self._reports.popleft())["counts"]
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
        """Return whether the process has ended within ``timeout_s``; it reports meanwhile."""
        deadline = time.monotonic() + timeout_s
        while self.is_running and (left := deadline - time.monotonic()) > 0:
            self._wait({self._output: select.POLLIN}, left)
            self._read_reports()
        if self.is_running:
            return False
        self._process.wait()
        self._output.close()
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

    def _wait_for_room(self) -> None:
        """Wait until the process takes more; read its reports, or it would wait for that."""
        self._wait({self._output: select.POLLIN, self._input: select.POLLOUT}, None)
        self._read_reports()

    def _wait(self, pipes: Mapping[IO[bytes], int], timeout_s: float | None) -> None:
        poll = select.poll()  # select itself takes no descriptor from 1,024 on
        for pipe, event in pipes.items():
            poll.register(pipe, event)
        poll.poll(None if timeout_s is None else 1000 * timeout_s)

    def _read_reports(self) -> None:
        """Read what the process has written; at its end it is not running any more."""
        while True:
            try:
                data = os.read(self._output.fileno(), CHUNK)
            except BlockingIOError:
                return
            if not data:
                self.is_running = False
                return
            *lines, self._rest = (self._rest + data).split(b"\n")
            self._reports.extend(lines)
