"""Print a search as tables on a terminal."""

from __future__ import annotations

import math

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from slipway.tune.candidate import describe
from slipway.tune.estimate import CPU, MEMORY, P50, P99, RATE, Point
from slipway.tune.report import TuneReport
from slipway.tune.search import ENOUGH

DASH = "–"
FAILURES = 8


def print_report(report: TuneReport, console: Console) -> None:
    """Print ``report``: the frontier, what failed, what was left out, the choice."""
    clients = report.clients
    console.print(
        f"[bold]{escape(report.name)}[/]: {len(report.points)} of {report.combinations:,} configs"
        f" measured, {len(report.failures)} refused; {escape(report.ended)}.",
        soft_wrap=True,
    )
    console.print(_frontier(report))
    console.print(
        f"Answers/s, p99 and CPU with {clients.most} waiting clients, p50 with {clients.fewest};"
        f" sent: {escape(report.inputs)}. ≈: equal to the config as it is, within"
        f" {_noise(report)}.",
        soft_wrap=True,
    )
    for candidate, reason in list(report.failures.items())[:FAILURES]:
        console.print(
            f"[red]refused[/] {escape(describe(candidate))}: {escape(reason)}", soft_wrap=True
        )
    if len(report.failures) > FAILURES:
        console.print(f"and {len(report.failures) - FAILURES} more (--json)")
    for line in (*report.left_out, *report.notes):
        console.print(f"[dim]{escape(line)}[/]", soft_wrap=True)
    console.print(f"[bold]{escape(report.describe_choice())}[/]", soft_wrap=True)


def _frontier(report: TuneReport) -> Table:
    table = Table(title="the frontier: no config measured beats these", title_justify="left")
    table.add_column("config", overflow="fold")
    for name in ("answers/s", "p50 ms", "p99 ms", "CPU ms", "memory MB"):
        table.add_column(name, justify="right")
    table.add_column("chosen for")
    frontier = report.frontier
    shown = [*([report.baseline] if report.baseline else []), *frontier]
    for point in dict.fromkeys(map(id, shown)):
        found = next(each for each in shown if id(each) == point)
        remarks = report.chosen_by(found)
        text = ", ".join(remarks)
        if found not in frontier:
            text = "(beaten)"
        elif found is report.chosen:
            text = ", ".join(
                f"[bold]{each}[/]" if each == report.goal else each for each in remarks
            )
        table.add_row(escape(describe(found.candidate)), *_values(found), text)
    return table


def _values(point: Point) -> list[str]:
    return [
        _cell(point, RATE, lambda value: f"{value:,.0f}"),
        _cell(point, P50, lambda value: f"{value * 1e3:.3g}"),
        _cell(point, P99, lambda value: f"{value * 1e3:.3g}"),
        _cell(point, CPU, lambda value: f"{value * 1e3:.3g}"),
        _cell(point, MEMORY, lambda value: f"{value / 1e6:,.0f}"),
    ]


def _cell(point: Point, measure: str, show: object) -> str:
    value = point.values.get(measure)
    if value is None:
        return DASH
    text = str(show(value))  # type: ignore[operator]
    if not point.candidate:
        return text
    if point.steps[measure] == 0:
        return f"{text} ≈"
    colour = "green" if point.gains[measure] > 0 else "red"
    sign = 1 if measure == RATE else -1
    share = math.exp(sign * point.gains[measure]) - 1
    return f"{text} [{colour}]{share:+.0%}[/]"


def _noise(report: TuneReport) -> str:
    names = {RATE: "answers/s", P50: "p50", P99: "p99", CPU: "CPU", MEMORY: "memory"}
    return ", ".join(
        f"{math.exp(report.noise.limit(measure, ENOUGH)) - 1:.0%} of {name}"
        for measure, name in names.items()
    )
