"""How ``slipway`` ends: its exit codes, and how an error is printed."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from slipway.errors import SlipwayError

USER_ERROR, BUG, INTERRUPTED, TERMINATED = 1, 3, 130, 143
# of slipway drift, for jobs: a tensor drifted; there was nothing to compare
DRIFTED, NOTHING_COMPARED = 4, 5
# of slipway compare: 0 is for B; the last is where no label says which answers are right
A_BETTER, UNDECIDED, DIFFERENT = 4, 5, 6


def exit_at_sigterm() -> None:
    """Let SIGTERM raise ``SystemExit``, so that a command stops what it has started."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(TERMINATED)

    signal.signal(signal.SIGTERM, stop)


def print_error(error: SlipwayError) -> None:
    """Print what is wrong and where, then ``fix:``, on standard error.

    Where a full or read-only disk is the cause, that is printed: other advice would not help.
    """
    from slipway.disk import find_disk_error  # not at every start

    print(f"error: {find_disk_error(error) or error}", file=sys.stderr)
