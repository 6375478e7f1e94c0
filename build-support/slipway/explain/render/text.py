"""An explanation in a terminal: bars of rows, marked words, a coarse heat map."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np

from slipway.explain.explanation import Explanation, Part
from slipway.explain.render.wording import how, number, shortened, signed, sum_line, title, visible

BAR = 24  # cells of the longest bar
MOST_PARTS = 25
NAME, VALUE = 28, 24
RAISES, LOWERS = (178, 24, 43), (33, 102, 172)  # as in the pictures
SHADES = " ░▒▓█"


def render_text(
    explanation: Explanation, model: str, *, text: str = "", color: bool = False
) -> str:
    """Return the explanation for a terminal; ``text`` is what the words are of.

    With ``color``, words and bars are marked by it; otherwise nothing but text is in it.
    """
    lines = [title(explanation, model), ""]
    text = visible(text)
    if explanation.kind == "text" and text:
        lines += [_marked(explanation, text) if color else text.strip(), ""]
    if explanation.heat:
        lines += [*_map(explanation, color), ""]
    lines += _bars(explanation.ranked, color)
    if explanation.adds_up:
        lines += ["", sum_line(explanation)]
    lines.append(how(explanation))
    lines += [f"note: {visible(statement)}" for statement in explanation.statements]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _bars(ranked: Sequence[Part], color: bool) -> list[str]:
    shown = ranked[:MOST_PARTS]
    if not shown:
        return ["no part changes the score"]
    longest = max(abs(part.contribution) for part in shown) or 1.0
    names = min(NAME, max(_width(shortened(part.name, NAME)) for part in shown))
    values = min(VALUE, max(_width(shortened(part.value, VALUE)) for part in shown))
    lines = []
    for part in shown:
        cells = round(BAR * abs(part.contribution) / longest)
        bar = ("█" if part.contribution >= 0 else "▒") * cells
        error = f" ± {part.error:.2g}" if part.error else ""
        cell = [_padded(shortened(part.name, NAME), names)]
        cell += [_padded(shortened(part.value, VALUE), values)] if values else []
        cell += [
            f"{signed(part.contribution):>8}",
            _coloured(bar, part.contribution, color) + error,
        ]
        lines.append("  " + "  ".join(cell))
    rest = ranked[MOST_PARTS:]
    if rest:
        total = sum(part.contribution for part in rest)
        lines.append(f"  and {len(rest)} more, together {signed(total)}")
    return lines


def _marked(explanation: Explanation, text: str) -> str:
    """Return the text with a background behind each word, the stronger the more it adds."""
    longest = max((abs(part.contribution) for part in explanation.parts), default=0) or 1.0
    pieces, end = [], 0
    for part in explanation.parts:
        first, last = part.place
        share = abs(part.contribution) / longest
        pieces.append(text[end:first])
        pieces.append(_behind(text[first:last], part.contribution, share))
        end = last
    return "".join([*pieces, text[end:]]).strip()


def _behind(text: str, contribution: float, share: float) -> str:
    if share < 0.05:
        return text
    target = RAISES if contribution > 0 else LOWERS
    red, green, blue = (round(255 + (c - 255) * share) for c in target)
    ink = 15 if share > 0.6 else 16
    return f"\x1b[38;5;{ink}m\x1b[48;2;{red};{green};{blue}m{text}\x1b[0m"


def _map(explanation: Explanation, color: bool) -> list[str]:
    """Return the heat map in at most 24 rows; a negative cell has a minus."""
    heat = np.array(explanation.heat)
    highest = abs(heat).max() or 1.0
    lines = []
    for row in heat[:: max(1, len(heat) // 24)]:
        cells = []
        for value in row[:: max(1, len(row) // 48)]:
            share = abs(value) / highest
            shade = SHADES[min(len(SHADES) - 1, round(share * (len(SHADES) - 1)))]
            cell = "- " if value < 0 and shade != " " else 2 * shade
            cells.append(_coloured(cell, value, color))
        lines.append("  │" + "".join(cells) + "│")
    return [*lines, f"  full: the score falls by {number(highest)} without it; -: it rises"]


def _coloured(text: str, contribution: float, color: bool) -> str:
    if not color or not text.strip():
        return text
    red, green, blue = RAISES if contribution >= 0 else LOWERS
    return f"\x1b[38;2;{red};{green};{blue}m{text}\x1b[0m"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
