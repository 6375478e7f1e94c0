"""Print a report as tables on a terminal."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from slipway.loadtest.compare import Comparison, Ratio
from slipway.loadtest.latencies import Latencies
from slipway.loadtest.report import LoadTestReport
from slipway.loadtest.run import Results
from slipway.loadtest.stage import LoadStage

DASH = "–"


def print_report(report: LoadTestReport, console: Console) -> None:
    """Print ``report``."""
    subject = report.subject
    console.print(
        f"[bold]{len(subject.shares)} release(s) on {escape(subject.endpoint)}[/]", end=""
    )
    console.print(f", {subject.kind}; sent: {escape(subject.inputs)}; seed {subject.seed}")
    if report.results.first_loads:
        console.print(_first_loads(report))
    if report.results.stages:
        console.print(_stages(report))
    _errors(report.results, console)
    _conclusion(report, console)
    for note in report.notes:
        console.print(f"[dim]{escape(note)}[/]")


def print_comparison(
    comparison: Comparison, names: tuple[str, str], spoilt: int, local: bool, console: Console
) -> None:
    """Print whether the second of ``names`` is slower; ``spoilt`` rounds were left out."""
    for label, name in zip(("first", "second"), names, strict=True):
        console.print(f"{label}: {escape(name)}", soft_wrap=True)
    table = Table("", "first", "second", "ratio", "from", "to", "")
    for label, ratio in (("p50", comparison.median), ("p99", comparison.p99)):
        if ratio is None:
            table.add_row(label, *[DASH] * 5, "too few answers")
        else:
            table.add_row(label, *_ratio(ratio), ratio.verdict)
    console.print(table)
    console.print(
        f"[bold]The second is {comparison.verdict}.[/]"
        if comparison.verdict != "no difference"
        else "[bold]No difference was found.[/]"
    )
    console.print(
        f"{comparison.rounds} rounds of {comparison.block} requests to each, {spoilt} left out"
        f" because a request failed or waited for a load. Both intervals hold together with"
        f" {comparison.confidence:.0%}."
    )
    if local:
        console.print("[dim]Measured on this machine; the result holds for this machine.[/]")


def _milliseconds(seconds: float | None) -> str:
    """Return milliseconds with three digits, or a dash."""
    if seconds is None:
        return DASH
    value = seconds * 1e3
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _ratio(ratio: Ratio) -> tuple[str, ...]:
    return (
        f"{_milliseconds(ratio.first)} ms",
        f"{_milliseconds(ratio.second)} ms",
        *(f"{value:.3f}" for value in (ratio.ratio, ratio.low, ratio.high)),
    )


def _first_loads(report: LoadTestReport) -> Table:
    table = Table(title="first invocation of each release", title_justify="left")
    table.add_column("target model", overflow="fold")
    table.add_column("share", justify="right")
    table.add_column("s", justify="right")
    table.add_column("")
    for load in report.results.first_loads:
        remark = {True: "cold", False: "was loaded already", None: ""}[load.cold]
        if load.retries:
            remark += f", {load.retries} × 429 while it was loaded"
        table.add_row(
            escape(load.target),
            f"{report.subject.shares[load.target]:.1%}",
            DASH if load.seconds is None else f"{load.seconds:.3g}",
            f"[red]{escape(load.error)}[/]" if load.error else remark,
        )
    return table


def _stages(report: LoadTestReport) -> Table:
    stages = report.results.stages
    closed = stages[0].concurrency is not None
    title = "waiting clients (ms)" if closed else "rate (latencies in ms, from the intended time)"
    table = Table(title=title, title_justify="left")
    names = ["clients" if closed else "offered/s", "answered/s", "p50", "p90", "p99", "largest"]
    cold = any(stage.cold.count for stage in stages)
    names += ["cold", "its p50", "its largest"] if cold else []
    for name in [*names, "requests", "failed"]:
        table.add_column(name, justify="right")
    table.add_column("")
    knee = report.knee.rate if report.knee else None
    for stage in stages:
        first = str(stage.concurrency) if closed else f"{stage.offered:.4g}"
        row = [first, f"{stage.achieved:.4g}", *_latencies(stage.warm)]
        if cold:
            row += [
                str(stage.cold.count),
                *map(_milliseconds, (stage.cold.p50, stage.cold.largest)),
            ]
        failed = sum(stage.errors.values())
        row += [str(stage.requests), str(failed) if failed else "0", _remark(stage, knee)]
        table.add_row(*row, style="bold" if stage.offered == knee and not closed else None)
    return table


def _latencies(latencies: Latencies) -> list[str]:
    return [
        _milliseconds(value)
        for value in (latencies.p50, latencies.p90, latencies.p99, latencies.largest)
    ]


def _remark(stage: LoadStage, knee: float | None) -> str:
    remarks = []
    if stage.concurrency is None:
        if stage.offered == knee:
            remarks.append("← knee")
        if stage.saturated:
            remarks.append("saturated")
    if stage.late:
        remarks.append(f"sent late by {_milliseconds(stage.lag_p99)} ms")
    return ", ".join(remarks)


def _errors(results: Results, console: Console) -> None:
    counts = Counter(load.error for load in results.first_loads if load.error)
    for stage in results.stages:
        counts.update(stage.errors)
    for kind, count in counts.most_common():
        message = results.messages.get(kind)
        first = f", the first: {message:.300}" if message else ""
        console.print(f"[red]{count} × {escape(kind)}[/]{escape(first)}")


def _conclusion(report: LoadTestReport, console: Console) -> None:
    knee = report.knee
    if knee and knee.rate is not None:
        console.print(
            f"[bold]Knee: {knee.rate:.4g}/s[/], p99 {_milliseconds(knee.p99)} ms"
            f" (limit {_milliseconds(knee.limit)} ms)."
            + (f" Above: {escape(knee.ended_by)}." if knee.ended_by else "")
        )
    elif knee:
        console.print(f"[bold]No knee:[/] {escape(str(knee.ended_by))}.")
    if report.target:
        console.print(
            "[bold]SageMakerVariantInvocationsPerInstance:"
            f" {report.target.invocations_per_instance}[/] = {report.target.arithmetic}"
        )
    if report.fleet:
        for line in report.fleet.arithmetic:
            console.print(line)
