"""Size, load and latency of a model, as a table and as a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from slipway.loadtest.compare import Ratio
from slipway.loadtest.latencies import answers_needed
from slipway.pipeline.report.build import ModelReport
from slipway.pipeline.report.view import format as figures
from slipway.pipeline.report.view import summary_row as row
from slipway.pipeline.report.view.elements import Axis, Bar, Cell, Section, Whisker


def performance(model: ModelReport) -> Section | None:
    """Return the measured sizes and times, ``None`` if there are none."""
    bars = tuple(_bars(model))
    if not bars:
        return None
    rows = tuple(
        (Cell(bar.label), Cell(bar.served or "–"), Cell(bar.candidate), bar.change) for bar in bars
    )
    lines = []
    latency = model.measured.latency if model.measured else None
    if latency is not None:
        compared = latency.compared
        cases = figures.count_of(len(latency.asked), "case")
        turns = f", alternating with production in {compared.rounds} rounds" if compared else ""
        few = "" if latency.candidate.p99 else f"; a p99 needs {answers_needed(0.99)} requests"
        count = latency.candidate.count
        lines.append(Cell(f"Latencies: {count} sequential requests of {cases}{turns}{few}."))
    lines += [Cell(note) for note in (model.measured.notes if model.measured else ())]
    whiskers, axis = _whiskers(model)
    return Section(
        "Size, load and latency",
        tuple(lines),
        ("", "production", "this branch", "change"),
        rows,
        bars=bars,
        whiskers=whiskers,
        axis=axis,
    )


def _bars(model: ModelReport) -> Iterator[Bar]:
    before = model.served.size if model.served else None
    for label in ("artifact", "unpacked", "environment", "weights") if model.size else ():
        now: int = getattr(model.size, label)
        was: int | None = None if before is None else getattr(before, label)
        change = figures.change(now, was, row.NOTABLE)
        # the artifact always; its parts where they changed, or where there is nothing to compare
        if label == "artifact" or ((now or was) and change.text not in figures.SAME):
            yield _bar(label, was, now, figures.megabytes, change)
    if model.measured is None:
        return
    loaded, was_loaded = model.measured.loads.medians
    yield _bar("load", was_loaded, loaded, figures.seconds, row.load_change(model))
    latency = model.measured.latency
    if latency is None:
        return
    for level in ("p50", "p99"):
        value = getattr(latency.candidate, level)
        was_value = None if latency.served is None else getattr(latency.served, level)
        if value is not None:
            cell = row.latency(model, level)
            ratio = row.ratio_of(model, level)
            text = "–" if ratio is None else f"{figures.percent(ratio.ratio)} ({_interval(ratio)})"
            yield _bar(
                f"latency {level}", was_value, value, figures.milliseconds, Cell(text, cell.tone)
            )


def _bar(
    label: str, before: float | None, now: float, format_value: Callable[[float], str], change: Cell
) -> Bar:
    most = max(now, before or 0.0) or 1.0
    return Bar(
        label,
        None if before is None else format_value(before),
        format_value(now),
        (before or 0.0) / most,
        now / most,
        change,
    )


def _interval(ratio: Ratio) -> str:
    return f"{figures.percent(ratio.low)} to {figures.percent(ratio.high)}"


def _whiskers(model: ModelReport) -> tuple[tuple[Whisker, ...], Axis | None]:
    """Return the latencies' ratios on one axis that contains every interval, and 1."""
    ratios = {level: ratio for level in ("p50", "p99") if (ratio := row.ratio_of(model, level))}
    if not ratios:
        return (), None
    low = min(0.9, *(ratio.low for ratio in ratios.values()))
    high = max(1.1, *(ratio.high for ratio in ratios.values()))

    def position(value: float) -> float:
        return (value - low) / (high - low)

    whiskers = tuple(
        Whisker(
            level,
            Cell(f"{figures.percent(r.ratio)} ({_interval(r)})", row.latency(model, level).tone),
            position(r.low),
            position(r.ratio),
            position(r.high),
        )
        for level, r in ratios.items()
    )
    return whiskers, Axis(figures.percent(low), figures.percent(high), position(1.0))
