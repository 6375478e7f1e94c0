"""Draw the bounds over the number of requests."""

from __future__ import annotations

import textwrap
from pathlib import Path

from slipway.comparison.report import TrafficComparison
from slipway.comparison.text import statement
from slipway.figure_file import figure_file

BAND, MEAN, MARGIN = "#56B4E9", "#0072B2", "#009E73"  # Okabe, Ito
INCHES = (8.0, 4.4)
TITLE_WIDTH = 110  # characters
TIMES = 5  # the height, in times of the last bounds' width: the first ones are as wide as all


def draw(comparison: TrafficComparison, path: Path) -> None:
    """Draw the first measure that decides into ``path``, in the format of its suffix."""
    from matplotlib.ticker import FuncFormatter

    line = comparison.primary[0]
    is_share = line.a is None and not comparison.labelled and comparison.design != "split"
    unit = 100.0 if line.is_share else 1.0
    counts = [point.count for point in comparison.path]
    margin = comparison.margin * unit
    with figure_file(path, INCHES) as figure:
        axes = figure.subplots()
        limits = (100 - margin, 100.0) if is_share else (-margin, margin)
        axes.axhspan(*limits, color=MARGIN, alpha=0.15, lw=0, label="within the margin")
        if not is_share:
            axes.axhline(0, color="#666666", lw=1)
        lower, upper, means = (
            [getattr(point.bounds, side) * unit for point in comparison.path]
            for side in ("lower", "upper", "mean")
        )
        label = f"bounds: all hold with {100 * (1 - line.risk):.3g} %"
        axes.fill_between(counts, lower, upper, color=BAND, alpha=0.4, lw=0, label=label)
        axes.plot(counts, means, color=MEAN, label="so far")
        if len(counts) > 1:
            axes.set_xscale("log")
            axes.set_xlim(counts[0], counts[-1])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
        axes.set_xlabel(
            "pairs of answers" if comparison.design != "split" else "blocks of requests"
        )
        what = line.title if is_share else f"{line.title}, B − A"
        axes.set_ylabel(f"{what}, %" if line.is_share else what)
        if counts:
            low, high = _height(lower[-1], upper[-1], limits)
            axes.set_ylim(low, min(high, 100.0 + 0.02 * (100 - low)) if is_share else high)
        figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
        title = textwrap.wrap(f"{comparison.decision}: {statement(comparison)}", TITLE_WIDTH)
        releases = f"A {comparison.a}, B {comparison.b}"
        figure.suptitle("\n".join([releases, *title]), fontsize=9)


def _height(lower: float, upper: float, limits: tuple[float, float]) -> tuple[float, float]:
    """Return the ends of the axis: the last bounds and the margin are well visible in it."""
    low, high = min(lower, limits[0]), max(upper, limits[1])
    room = max(TIMES * (upper - lower) - (high - low), 0.2 * (high - low)) / 2
    return low - room, high + room
