"""Draw simulated fleets: hit rate, p99 and cost over the number of instances."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from slipway.figure_file import figure_file
from slipway.simulate.goal import Candidate, Goal

INCHES = (9.0, 3.6)
# distinct in print and for colour-blind readers (Okabe, Ito)
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", "#F0E442")
LIMIT = "#666666"


def draw(
    candidates: Sequence[Candidate], chosen: Candidate | None, goal: Goal, title: str, path: Path
) -> None:
    """Draw ``candidates`` into ``path``, in the format of its suffix; ``chosen`` is circled."""
    from matplotlib.ticker import FuncFormatter

    has_prices = any(each.usd is not None for each in candidates)
    with figure_file(path, INCHES) as figure:
        axes = figure.subplots(1, 3)
        for colour, kind in zip(
            COLOURS * 99, dict.fromkeys(each.type.name for each in candidates), strict=False
        ):
            of_kind = sorted(
                (each for each in candidates if each.type.name == kind),
                key=lambda each: each.instances,
            )
            shown: list[list[float | None]] = [
                [100 * each.summary.hit_rate for each in of_kind],
                [each.summary.latency["p99"] for each in of_kind],
                [_cost(each, has_prices) for each in of_kind],
            ]
            for panel, values in zip(axes, shown, strict=True):
                points = [
                    (each.instances, value, each)
                    for each, value in zip(of_kind, values, strict=True)
                    if value is not None
                ]
                panel.plot(
                    [x for x, _, _ in points],
                    [y for _, y, _ in points],
                    "o-",
                    color=colour,
                    markersize=4,
                    label=kind,
                )
                panel.plot(
                    [x for x, _, each in points if each is chosen],
                    [y for _, y, each in points if each is chosen],
                    "o",
                    color=colour,
                    markersize=12,
                    fillstyle="none",
                )
        names = ["requests that find their model, %", "p99 of all answers, s"]
        names.append("US dollars a month" if has_prices else "cores in all (no prices given)")
        for panel, name in zip(axes, names, strict=True):
            panel.set_title(name, fontsize=9)
            panel.set_xlabel("instances")
            panel.grid(True, alpha=0.2)
        axes[1].set_yscale("log")
        axes[1].yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
        axes[1].axhline(goal.p99_s, color=LIMIT, linestyle=":")
        if goal.hit_rate:
            axes[0].axhline(100 * goal.hit_rate, color=LIMIT, linestyle=":")
        axes[0].legend(fontsize=7)
        figure.suptitle(title, fontsize=10)


def _cost(each: Candidate, has_prices: bool) -> float | None:
    return each.usd if has_prices else each.summary.instances * each.type.cores
