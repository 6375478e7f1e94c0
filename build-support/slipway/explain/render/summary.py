"""A summary in a terminal, and as a picture."""

from __future__ import annotations

import numpy as np

from slipway.explain.render.figure import INK, RAISES, SOFT, plain, saved
from slipway.explain.render.wording import number, shortened, signed
from slipway.explain.summary import Summary
from slipway.figure_file import equal_bytes

BAR, MOST_PARTS, NAME = 24, 25, 28


def summary_title(summary: Summary, model: str) -> str:
    """Return what the summary is of."""
    things = "texts" if summary.kind == "text" else "rows"
    return f"{model}: what {summary.score} rests on, in {summary.explained} {things}"


def render_summary(summary: Summary, model: str) -> str:
    """Return the summary for a terminal."""
    shown = summary.parts[:MOST_PARTS]
    longest = max((part.mean_size for part in shown), default=0) or 1.0
    width = min(NAME, max((len(part.name) for part in shown), default=1))
    lines = [summary_title(summary, model), "", "  mean size of the contribution, 95 % interval"]
    for part in shown:
        bar = "█" * round(BAR * part.mean_size / longest)
        span = f"{number(part.low)} to {number(part.high)}" if part.rows > 1 else "one row"
        cells = (
            f"{shortened(part.name, NAME):<{width}}",
            f"{part.mean_size:8.4f}",
            f"{bar:<{BAR}}",
            f"{span}, mean {signed(part.mean)}",
        )
        lines.append("  " + "  ".join(cells))
    if len(summary.parts) > len(shown):
        lines.append(f"  and {len(summary.parts) - len(shown)} more")
    lines += ["", f"{summary.rows:,} rows in {summary.requests:,} requests, seed {summary.seed}"]
    lines += [f"note: {statement}" for statement in summary.statements]
    lines += [f"left out: {reason}" for reason in summary.left_out]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def draw_summary(summary: Summary, model: str, format: str) -> bytes:
    """Return the summary's bars with their intervals as ``png`` or ``svg``."""
    from matplotlib.figure import Figure

    shown = summary.parts[:MOST_PARTS]
    with equal_bytes():
        figure = Figure(figsize=(8.6, 1.4 + 0.27 * len(shown)), layout="constrained")
        axes = figure.subplots()
        places = np.arange(len(shown))[::-1]
        sizes = np.array([part.mean_size for part in shown])
        spans = np.array(
            [[part.mean_size - part.low, part.high - part.mean_size] for part in shown]
        )
        axes.barh(places, sizes, xerr=spans.T, color=RAISES, ecolor=SOFT)
        axes.set_yticks(places, [plain(shortened(part.name, 30)) for part in shown], fontsize=9)
        axes.margins(y=0.01)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.set_xlabel("mean size of the contribution, with its 95 % interval", fontsize=8)
        head = plain(shortened(summary_title(summary, model), 90))
        figure.suptitle(head, fontsize=11, color=INK, ha="left", x=0.01)
        return saved(figure, format)
