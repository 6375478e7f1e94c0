"""``benchmarks/run``: measure, and print one table."""

from __future__ import annotations

import importlib
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.result import Report
from benchmarks.subject import Subject

NAMES = (
    "checking",
    "building",
    "pants",
    "packing",
    "publishing",
    "loading",
    "serving",
    "endpoint",
    "pipeline",
)
# an hour long, and no figure to compare: only where it is named
SWEEPS = ("operators",)
RESULTS = Path(__file__).with_name("results.json")
WIDTH = 120
VERDICTS = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*NAMES, *SWEEPS]), metavar="[NAME]...")
@click.option("--limit", type=click.IntRange(min=1), help="So many operators, evenly spread.")
@click.option("--quick", is_flag=True, help="Fewer and shorter runs: does it work?")
@click.option("--save", is_flag=True, help=f"Write benchmarks/{RESULTS.name} as well.")
def main(names: tuple[str, ...], limit: int | None, quick: bool, save: bool) -> None:
    """Measure Slipway against the recipe people follow today, on this machine.

    NAME is checking, building, pants, packing, publishing, loading, serving, endpoint or pipeline;
    all of them without one.
    NAME operators takes onnx's own test models, from file to answer.

    Example: benchmarks/run loading serving
    """
    errors = Console(stderr=True)
    reports: list[Report] = []
    with tempfile.TemporaryDirectory(prefix="slipway-benchmarks-") as work:
        subject = Subject(Path(work), quick, limit)
        described = machine.described(subject.settings)
        for name in names or NAMES:
            with errors.status(f"measuring {name}"):
                reports += importlib.import_module(f"benchmarks.{name}").measure(subject)
    if save:
        content = {"machine": described, "reports": [asdict(report) for report in reports]}
        RESULTS.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    # the table needs more than the 80 columns that a pipe is taken for
    console = Console()
    _show(console if console.is_terminal else Console(width=WIDTH), described, reports)


def _show(console: Console, described: list[str], reports: list[Report]) -> None:
    table = Table("", "ours", "theirs", "ratio", "target", "met")
    for column in table.columns[1:4]:
        column.justify = "right"
    for report in reports:
        against = f" against {report.theirs}" if report.theirs else ""
        table.add_row(f"[bold]{report.title}[/]{against}")
        for row in report.rows:
            verdict = VERDICTS[row.met]
            table.add_row(f"  {row.what}", row.ours, row.theirs, row.ratio, row.target, verdict)
        table.add_section()
    console.print(table)
    for line in described:
        console.print(line, highlight=False)


if __name__ == "__main__":
    main()
