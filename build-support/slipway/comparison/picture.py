"""Draw the bounds over the number of requests."""

from __future__ import annotations

from pathlib import Path

from slipway.comparison.report import TrafficComparison
from slipway.comparison.text import statement
from slipway.errors import SlipwayError

ENDINGS = {".svg", ".png"}
BAND, MEAN, MARGIN = "#56B4E9", "#0072B2", "#009E73"  # Okabe, Ito
INCHES = (8.0, 4.4)
PIXELS_PER_INCH = 150


def check_path(path: Path) -> None:
    """Check a file name before anything is read.

    Raises:
        SlipwayError: it ends neither with .svg nor .png, or its folder does not exist.
    """
    if path.suffix.lower() not in ENDINGS:
        raise SlipwayError(
            f"no picture of the kind {path.suffix or 'without an ending'}",
            where=str(path),
            fix=f"--output {path.stem or 'comparison'}.svg, or .png",
        )
    if not path.parent.is_dir():
        raise SlipwayError("no such folder", where=str(path.parent), fix="create it first")


def draw(comparison: TrafficComparison, path: Path) -> None:
    """Draw the first measure that decides into ``path``, in the format of its suffix."""
    import matplotlib
    from matplotlib.figure import Figure  # without pyplot there is no window, and no global state

    from slipway.files import atomic_write

    line = comparison.primary[0]
    is_share = line.a is None and not comparison.labelled and comparison.design != "split"
    unit = 100.0 if line.is_share else 1.0
    counts = [point.count for point in comparison.path]
    margin = comparison.margin * unit
    # equal comparisons are drawn as equal bytes
    with matplotlib.rc_context({"svg.hashsalt": "slipway", "svg.fonttype": "none"}):
        figure = Figure(figsize=INCHES, layout="constrained")
        axes = figure.subplots()
        limits = (100 - margin, 100.0) if is_share else (-margin, margin)
        axes.axhspan(*limits, color=MARGIN, alpha=0.15, lw=0, label="within the margin")
        if not is_share:
            axes.axhline(0, color="#666666", lw=1)
        lower, upper, means = (
            [getattr(point.bounds, side) * unit for point in comparison.path]
            for side in ("lower", "upper", "mean")
        )
        share = 1 - line.risk
        label = f"holds at every look, {share:.3g} of the time"
        axes.fill_between(counts, lower, upper, color=BAND, alpha=0.4, lw=0, label=label)
        axes.plot(counts, means, color=MEAN, label="so far")
        if len(counts) > 1:
            axes.set_xscale("log")
            axes.set_xlim(counts[0], counts[-1])
        axes.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda x, _: f"{x:,.0f}"))
        axes.set_xlabel(
            "pairs of answers" if comparison.design != "split" else "blocks of requests"
        )
        what = line.title if is_share else f"{line.title}, B − A"
        axes.set_ylabel(f"{what}, %" if line.is_share else what)
        axes.legend(loc="lower right" if is_share else "upper right", fontsize=8, frameon=False)
        figure.suptitle(
            f"A {comparison.a}, B {comparison.b}\n{comparison.decision}: {statement(comparison)}",
            fontsize=9,
            wrap=True,
        )
        metadata = {"Date": None} if path.suffix.lower() == ".svg" else None
        with atomic_write(path) as temporary:
            figure.savefig(
                temporary,
                dpi=PIXELS_PER_INCH,
                metadata=metadata,
                format=path.suffix.lower().lstrip("."),
            )
