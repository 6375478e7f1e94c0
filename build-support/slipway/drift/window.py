"""Lengths of time, as a command line names them: ``1d``, ``90m``."""

from __future__ import annotations

import re
from datetime import timedelta

UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
LONGEST_S = 10 * 365 * 86400


def parse_window(text: str) -> timedelta:
    """Return the length of time of ``text``, such as ``7d``, ``12h``, ``90m`` or ``30s``.

    Raises:
        ValueError: it is none, or is longer than ten years.
    """
    match = re.fullmatch(r"(\d{1,9})\s*([dhms])", text.strip())
    seconds = int(match[1]) * UNITS[match[2]] if match else 0
    if not 0 < seconds <= LONGEST_S:
        raise ValueError(f"{text!r} is not a length of time, such as 1d, 12h or 90m")
    return timedelta(seconds=seconds)


def format_window(window: timedelta) -> str:
    """Return a length of time as :func:`parse_window` reads it: ``7d``, ``1h``, ``90s``."""
    seconds = int(window.total_seconds())
    unit = next(unit for unit, length in UNITS.items() if seconds and seconds % length == 0)
    return f"{seconds // UNITS[unit]}{unit}"
