"""Draw what was measured: throughput against p99, with the frontier and the choice."""

from __future__ import annotations

from pathlib import Path

from slipway.figure_file import figure_file
from slipway.tune.candidate import describe
from slipway.tune.estimate import MEMORY, P50, P99, RATE, Point
from slipway.tune.report import TuneReport
from slipway.tune.search import ENOUGH

INCHES = (9.0, 4.6)
# distinct in print and for colour-blind readers (Okabe, Ito)
PLAIN, FRONTIER, BASELINE, CHOSEN = "#999999", "#0072B2", "#E69F00", "#D55E00"
HOLLOW = {"a few times", "as it is"}
PANELS = ((P99, 1e3, "p99, ms"), (P50, 1e3, "p50, ms"), (MEMORY, 1e-6, "memory, MB"))


def draw(report: TuneReport, path: Path) -> None:
    """Draw ``report`` into ``path``, in the format of its suffix."""
    frontier = report.frontier
    panels = [panel for panel in PANELS if any(panel[0] in p.values for p in report.points)]
    with figure_file(path, INCHES) as figure:
        axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axis, (measure, unit, label) in zip(axes, panels, strict=True):
            others = [point for point in report.points if point not in frontier]
            often = [point for point in others if point.rounds >= ENOUGH]
            marked = [
                ("measured", often, PLAIN, "o", 4),
                ("a few times", [p for p in others if p not in often], PLAIN, "o", 4),
                ("frontier", frontier, FRONTIER, "o", 6),
                ("as it is", _known(report.baseline), BASELINE, "s", 9),
                ("chosen", _known(report.chosen), CHOSEN, "*", 13),
            ]
            for name, points, colour, marker, size in marked:
                axis.plot(
                    [point.values[measure] * unit for point in points],
                    [point.values[RATE] for point in points],
                    marker,
                    color=colour,
                    label=name,
                    markersize=size,
                    fillstyle="none" if name in HOLLOW else "full",
                )
            axis.set_xlabel(label)
            axis.grid(True, alpha=0.2)
        axes[0].set_ylabel(f"answers a second, {report.clients.most} clients")
        axes[0].legend(fontsize=8)
        chosen = "" if report.chosen is None else f"\n{describe(report.chosen.candidate)}"
        figure.suptitle(f"{report.name}, for {report.goal}{chosen}", fontsize=10, wrap=True)


def _known(point: Point | None) -> list[Point]:
    return [] if point is None else [point]
