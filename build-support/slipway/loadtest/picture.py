"""Draw a report: latencies against rate, the knee, and cold starts in a panel of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slipway.errors import SlipwayError
from slipway.figure_file import figure_file
from slipway.loadtest.report import LoadTestReport
from slipway.loadtest.stage import LoadStage
from slipway.units import format_milliseconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# distinct in print and for colour-blind readers (Okabe, Ito)
COLOURS = {"p50": "#0072B2", "p90": "#E69F00", "p99": "#D55E00"}
COLD, KNEE, LIMIT = "#56B4E9", "#009E73", "#666666"
INCHES = (8.0, 4.6)


def draw(report: LoadTestReport, path: Path) -> None:
    """Draw ``report`` into ``path``, in the format of its suffix.

    Raises:
        SlipwayError: nothing was measured.
    """
    from matplotlib.ticker import FuncFormatter

    stages = report.results.stages
    loads = [
        load.seconds
        for load in report.results.first_loads
        if load.seconds is not None and load.cold is not False
    ]
    loads += [stage.cold.p50 for stage in stages if stage.cold.p50 is not None]
    if not stages and not loads:
        raise SlipwayError(
            "nothing was answered, so there is nothing to draw",
            where=str(path),
            fix="see the errors above",
        )
    with figure_file(path, INCHES) as figure:
        main, side = figure.subplots(1, 2, sharey=True, width_ratios=(5, 1))
        if stages:
            _stages(main, report, stages)
        _cold(side, loads)
        main.set_yscale("log")
        main.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
        main.set_ylabel("latency, ms")
        figure.suptitle(_title(report), fontsize=10)


def _stages(axes: Axes, report: LoadTestReport, stages: list[LoadStage]) -> None:
    closed = stages[0].concurrency is not None
    for name, colour in COLOURS.items():
        points = [
            (stage.concurrency or stage.offered, value * 1e3, stage.saturated and not closed)
            for stage in stages
            if (value := getattr(stage.warm, name)) is not None
        ]
        axes.plot([x for x, _, _ in points], [y for _, y, _ in points], color=colour, label=name)
        for filled in (False, True):
            chosen = [(x, y) for x, y, saturated in points if saturated != filled]
            axes.plot(
                [x for x, _ in chosen],
                [y for _, y in chosen],
                "o",
                color=colour,
                markersize=5,
                fillstyle="full" if filled else "none",
            )
    knee = report.knee
    if knee and knee.rate is not None:
        axes.axvline(knee.rate, color=KNEE, linestyle="--", label=f"knee {knee.rate:.4g}/s")
    if knee and knee.limit > 0:
        axes.axhline(
            knee.limit * 1e3,
            color=LIMIT,
            linestyle=":",
            label=f"limit {format_milliseconds(knee.limit, 4)}",
        )
    axes.set_xlabel(
        "waiting clients" if closed else "offered rate, requests a second (hollow: saturated)"
    )
    axes.set_xlim(left=0)
    axes.grid(True, which="both", alpha=0.2)
    axes.legend(fontsize=8, loc="upper left")


def _cold(axes: Axes, loads: list[float]) -> None:
    axes.plot([0.0] * len(loads), [s * 1e3 for s in loads], "D", color=COLD, alpha=0.7)
    axes.set_xticks([0.0], ["cold starts"])
    axes.grid(True, axis="y", which="both", alpha=0.2)
    if not loads:
        axes.text(0, 0.5, "none", ha="center", transform=axes.get_xaxis_transform())


def _title(report: LoadTestReport) -> str:
    targets = list(report.subject.shares)
    what = targets[0] if len(targets) == 1 else f"{len(targets)} releases, {report.subject.kind}"
    return f"{what} on {report.subject.endpoint}"
