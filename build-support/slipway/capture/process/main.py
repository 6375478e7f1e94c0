"""Write what a server hands over: the capturing process (``python -m``, orders as JSON).

It has the lowest priority: where all cores are busy the server's requests come first, and what does
not fit into the queue is dropped there. It ends when the server closes the pipe or dies, after it
has written what is in it.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

from slipway.capture.counts import Counts
from slipway.capture.keeper import Keeper
from slipway.capture.location import CaptureLocation
from slipway.capture.process.frame import read_frame
from slipway.errors import SlipwayError
from slipway.model.capture_rules import CaptureRules, parse_capture_rules

NICE = 19
TICK_S = 1.0
CLOSE_S = 15.0

log = logging.getLogger(__name__)


class _SharedCounts(Counts):
    """What this process counts, and what its server does."""

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self._endpoint = endpoint
        self.server: dict[str, Mapping[str, int]] = {}

    def endpoints(self) -> set[str]:
        """See :class:`~slipway.capture.counts.Counts`."""
        return super().endpoints() | ({self._endpoint} if self.server else set())

    def snapshot(self, endpoint: str | None = None) -> dict[str, dict[str, int]]:
        """See :class:`~slipway.capture.counts.Counts`."""
        result = super().snapshot(endpoint)
        if endpoint in (None, self._endpoint):
            for target, counts in self.server.items():
                result.setdefault(target, {}).update(counts)
        return result

    def own(self, targets: Set[str]) -> dict[str, dict[str, int]]:
        """Return what this process counted, of some target models."""
        return {target: self.of_target(self._endpoint, target) for target in targets}


def main() -> None:
    """Read orders and frames, write lines, and report after each frame."""
    # Ctrl-C is for the server, which closes the pipe when it has ended
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    orders = json.loads(sys.argv[1])
    counts = _SharedCounts(orders["endpoint"])
    try:
        keeper = Keeper(_location(orders["location"]), counts)
    except SlipwayError as error:
        _report({"error": [error.what, error.where, error.fix]})
        return
    _report({})
    _yield_to_all_others()
    rules: dict[str, CaptureRules] = {}
    while True:
        readable, _, _ = select.select([sys.stdin], [], [], TICK_S)
        keeper.tick()
        if not readable:
            continue
        frame = read_frame(sys.stdin.fileno())
        if frame is None:
            break
        counts.server.update(frame.counts)
        for target, values in frame.rules.items():
            rules[target] = parse_capture_rules(values, where=target)
        keeper.keep_all(frame.exchanges, rules)
        _report({"counts": counts.own({exchange.target for exchange in frame.exchanges})})
    keeper.close(CLOSE_S)


def _yield_to_all_others() -> None:
    """Run only where nobody else wants to: with the lowest priority, and on Linux as what any other
    work interrupts at once."""
    os.nice(NICE)
    if sys.platform == "linux":
        for thread in threading.enumerate():  # priorities are those of threads
            if thread.native_id is not None:
                os.setpriority(os.PRIO_PROCESS, thread.native_id, NICE)
                os.sched_setscheduler(thread.native_id, os.SCHED_IDLE, os.sched_param(0))


def _report(values: dict[str, Any]) -> None:
    """Write a line for the server, if it is still there."""
    try:
        os.write(sys.stdout.fileno(), json.dumps(values).encode() + b"\n")
    except BrokenPipeError:
        return


def _location(values: dict[str, Any]) -> CaptureLocation:
    folder = values.pop("folder")
    return CaptureLocation(folder=None if folder is None else Path(folder), **values)


if __name__ == "__main__":
    main()
