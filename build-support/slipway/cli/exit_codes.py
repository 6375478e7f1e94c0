"""How ``slipway`` ends: its exit codes, and how an error is printed."""

from __future__ import annotations

import sys

from slipway.errors import SlipwayError

USER_ERROR, BUG, INTERRUPTED = 1, 3, 130


def print_error(error: SlipwayError) -> None:
    """Print what is wrong and where, then ``fix:``, on standard error."""
    print(f"error: {error}", file=sys.stderr)
