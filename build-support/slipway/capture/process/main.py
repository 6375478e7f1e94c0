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
from pathlib import Path
from typing import Any

from slipway.capture.counts import Counts
from slipway.capture.keeper import Keeper
from slipway.capture.location import CaptureLocation
from slipway.capture.process.frame import Counted, read_frame
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
        self.server: Counted = {}

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

    def own(self) -> dict[str, dict[str, int]]:
        """Return what this process counted."""
        return super().snapshot()


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
    os.nice(NICE)
    rules: dict[str, CaptureRules] = {}
    while True:
        readable, _, _ = select.select([sys.stdin], [], [], TICK_S)
        keeper.tick()
        if not readable:
            continue
        frame = read_frame(sys.stdin.fileno())
        if frame is None:
            break
        counts.server = frame.counts
        for target, values in frame.rules.items():
            rules[target] = parse_capture_rules(values, where=target)
        for exchange in frame.exchanges:
            try:
                keeper.keep(exchange, rules[exchange.target])
            except Exception:
                # a request that is new to us must not end the capturing of all others
                log.exception("a request to %s was not captured", exchange.target)
                counts.add(exchange, "dropped.failed")
        _report({"counts": counts.own()})
    keeper.close(CLOSE_S)


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
