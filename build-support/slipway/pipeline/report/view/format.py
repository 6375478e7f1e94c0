"""Figures as text, and how one changed."""

from __future__ import annotations

from slipway.pipeline.report.view.elements import Cell, Tone
from slipway.units import format_bytes_evenly, format_milliseconds

NO_BREAK_SPACE = "\u00a0"
SAME = ("same", f"±0{NO_BREAK_SPACE}%")
DASH = Cell("–")


def percent(ratio: float) -> str:
    """Return a ratio as a change: 1.034 is +3.4 %."""
    change = 100 * (ratio - 1)
    if abs(change) < 0.05:
        return f"±0{NO_BREAK_SPACE}%"
    text = f"{change:+.1f}" if abs(change) < 10 else f"{change:+.0f}"
    return text.replace("-", "−") + f"{NO_BREAK_SPACE}%"


def megabytes(size: float) -> str:
    """Return bytes in a unit that people read easily."""
    return format_bytes_evenly(size).replace(" ", NO_BREAK_SPACE)


def seconds(time: float) -> str:
    """Return the seconds of a load."""
    return f"{time:.2f}{NO_BREAK_SPACE}s"


def milliseconds(time: float) -> str:
    """Return the seconds of a request in milliseconds."""
    return format_milliseconds(time).replace(" ", NO_BREAK_SPACE)


def count_of(number: int, what: str) -> str:
    """Return ``1 case``, ``2 cases``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def change(now: float, before: float | None, notable: float) -> Cell:
    """Return how a quantity changed, highlighted if by more than the fraction ``notable``."""
    if not before:
        return DASH
    ratio = now / before
    if now == before:
        return Cell("same")
    tone: Tone = "note" if ratio > 1 + notable else "good" if ratio < 1 - notable else ""
    return Cell(percent(ratio), tone)
