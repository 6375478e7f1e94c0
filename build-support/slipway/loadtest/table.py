"""A report as tables on a terminal."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from slipway.loadtest.compare import Comparison, Ratio
from slipway.loadtest.latencies import Latencies
from slipway.loadtest.report import Report
from slipway.loadtest.run import Results
from slipway.loadtest.stage import Stage

NONE = "–"


def show(report: Report, console: Console) -> None:
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


def show_comparison(
    compared: Comparison, names: tuple[str, str], spoilt: int, here: bool, console: Console
) -> None:
    """Print whether the second of ``names`` is slower; ``spoilt`` rounds were left out."""
    for word, name in zip(("first", "second"), names, strict=True):
        console.print(f"{word}: {escape(name)}", soft_wrap=True)
    table = Table("", "first", "second", "ratio", "from", "to", "")
    for label, ratio in (("p50", compared.median), ("p99", compared.p99)):
        if ratio is None:
            table.add_row(label, *[NONE] * 5, "too few answers")
        else:
            table.add_row(label, *_ratio(ratio), ratio.verdict)
    console.print(table)
    console.print(
        f"[bold]The second is {compared.verdict}.[/]"
        if compared.verdict != "no difference"
        else "[bold]No difference was found.[/]"
    )
    console.print(
        f"{compared.rounds} rounds of {compared.block} requests to each, {spoilt} left out because"
        f" a request failed or waited for a load. Both intervals hold together with"
        f" {compared.confidence:.0%}."
    )
    if here:
        console.print("[dim]Measured on this machine, and true of it.[/]")


def milliseconds(seconds: float | None) -> str:
    """Three digits, or a dash."""
    if seconds is None:
        return NONE
    value = seconds * 1e3
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _ratio(ratio: Ratio) -> tuple[str, ...]:
    return (
        f"{milliseconds(ratio.first)} ms",
        f"{milliseconds(ratio.second)} ms",
        *(f"{value:.3f}" for value in (ratio.ratio, ratio.low, ratio.high)),
    )


def _first_loads(report: Report) -> Table:
    table = Table(title="first invocation of each release", title_justify="left")
    table.add_column("target model", overflow="fold")
    table.add_column("share", justify="right")
    table.add_column("s", justify="right")
    table.add_column("")
    for found in report.results.first_loads:
        said = {True: "cold", False: "was loaded already", None: ""}[found.cold]
        if found.retries:
            said += f", told to come back {found.retries} times"
        table.add_row(
            escape(found.target),
            f"{report.subject.shares[found.target]:.1%}",
            NONE if found.seconds is None else f"{found.seconds:.3g}",
            f"[red]{escape(found.error)}[/]" if found.error else said,
        )
    return table


def _stages(report: Report) -> Table:
    stages = report.results.stages
    closed = stages[0].concurrency is not None
    title = "waiting clients (ms)" if closed else "rate (latencies in ms, from the intended time)"
    table = Table(title=title, title_justify="left")
    names = ["clients" if closed else "offered/s", "answered/s", "p50", "p90", "p99", "largest"]
    cold = any(each.cold.count for each in stages)
    names += ["cold", "its p50", "its largest"] if cold else []
    for name in [*names, "requests", "failed"]:
        table.add_column(name, justify="right")
    table.add_column("")
    knee = report.knee.rate if report.knee else None
    for each in stages:
        first = str(each.concurrency) if closed else f"{each.offered:.4g}"
        row = [first, f"{each.achieved:.4g}", *_latencies(each.warm)]
        if cold:
            row += [str(each.cold.count), *map(milliseconds, (each.cold.p50, each.cold.largest))]
        failed = sum(each.errors.values())
        row += [str(each.requests), str(failed) if failed else "0", _remark(each, knee)]
        table.add_row(*row, style="bold" if each.offered == knee and not closed else None)
    return table


def _latencies(found: Latencies) -> list[str]:
    return [milliseconds(value) for value in (found.p50, found.p90, found.p99, found.largest)]


def _remark(each: Stage, knee: float | None) -> str:
    remarks = []
    if each.concurrency is None:
        if each.offered == knee:
            remarks.append("← knee")
        if each.saturated:
            remarks.append("saturated")
    if each.late:
        remarks.append(f"sent late by {milliseconds(each.lag_p99)} ms")
    return ", ".join(remarks)


def _errors(results: Results, console: Console) -> None:
    counted = Counter(found.error for found in results.first_loads if found.error)
    for each in results.stages:
        counted.update(each.errors)
    for kind, count in counted.most_common():
        said = results.messages.get(kind)
        first = f", the first: {said:.300}" if said else ""
        console.print(f"[red]{count} × {escape(kind)}[/]{escape(first)}")


def _conclusion(report: Report, console: Console) -> None:
    knee = report.knee
    if knee and knee.rate is not None:
        console.print(
            f"[bold]Knee: {knee.rate:.4g}/s[/], p99 {milliseconds(knee.p99)} ms"
            f" (limit {milliseconds(knee.limit)} ms)."
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
