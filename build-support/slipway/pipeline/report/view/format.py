"""Figures in words, and how one changed."""

from __future__ import annotations

from slipway.pipeline.report.view.elements import Cell, Tone

NARROW = "\u00a0"  # a space that no line ends at
SAME = ("same", f"±0{NARROW}%")
DASH = Cell("–")


def percent(ratio: float) -> str:
    """A ratio as a change: 1.034 is +3.4 %."""
    change = 100 * (ratio - 1)
    if abs(change) < 0.05:
        return f"±0{NARROW}%"
    said = f"{change:+.1f}" if abs(change) < 10 else f"{change:+.0f}"
    return said.replace("-", "−") + f"{NARROW}%"


def megabytes(size: float) -> str:
    """Bytes, as people read them."""
    if size < 1e6:
        return f"{size / 1e3:.3g}{NARROW}kB"
    return f"{size / 1e6:.1f}{NARROW}MB" if size < 1e9 else f"{size / 1e9:.2f}{NARROW}GB"


def seconds(time: float) -> str:
    """Of loads."""
    return f"{time:.2f}{NARROW}s"


def milliseconds(time: float) -> str:
    """Of requests."""
    return f"{1e3 * time:.3g}{NARROW}ms"


def counted(number: int, what: str) -> str:
    """``1 case``, ``2 cases``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def change(now: float, before: float | None, notable: float) -> Cell:
    """How a quantity changed; pointed out where by more than the share ``notable``."""
    if not before:
        return DASH
    ratio = now / before
    if now == before:
        return Cell("same")
    tone: Tone = "note" if ratio > 1 + notable else "good" if ratio < 1 - notable else ""
    return Cell(percent(ratio), tone)
