"""Run the benchmarks and print one table (``benchmarks/run``)."""

from __future__ import annotations

import importlib
import json
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks import machine, summary
from benchmarks.context import BenchmarkContext
from benchmarks.result import Report
from slipway.files import atomic_write

NAMES = (
    "checking",
    "building",
    "pants",
    "packing",
    "publishing",
    "loading",
    "image",
    "serving",
    "endpoint",
    "capture",
    "pipeline",
    "comparison",
    "fleet",
)
# take long: run only when they are named, or with --quick
SWEEPS = ("operators", "conversions", "explanations", "tuning", "releases", "growth", "remote")
RESULTS = Path(__file__).with_name("results.json")
WIDTH = 120
VERDICTS = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*NAMES, *SWEEPS]), metavar="[NAME]...")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Measure this many operators, evenly spread, or files of each framework.",
)
@click.option(
    "--quick", is_flag=True, help="Run all with fewer and shorter measurements, to see them work."
)
@click.option(
    "--save",
    is_flag=True,
    help=f"Write the figures into benchmarks/{RESULTS.name} and README, each as it ends.",
)
def main(names: tuple[str, ...], limit: int | None, quick: bool, save: bool) -> None:
    """Measure Slipway against the recipe people follow today, on this machine.

    NAME is checking, building, pants, packing, publishing, loading, image, serving, endpoint,
    capture, pipeline, comparison or fleet; without NAME all of them run.
    NAME operators measures onnx's own test models, from file to answer; conversions does it for
    the files of other frameworks; explanations compares with exact contributions and shap; tuning
    holds the search of slipway tune against measuring every combination; releases measures
    release stores of 10, 100 and 1,000 models; growth takes each cost at 10, 100 and 1,000
    models, and draws docs/growth.svg; remote builds with a remote cache and on two workers.

    Example: benchmarks/run loading serving
    """
    if quick and save:
        raise click.UsageError("--quick or --save, not both: quick figures are not to be kept")
    errors = Console(stderr=True)
    reports: list[Report] = []
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="slipway-benchmarks-") as work:
        context = BenchmarkContext(Path(work), quick, limit)
        machine_lines = machine.describe_machine(context.settings)
        for name in names or ((*NAMES, *SWEEPS) if quick else NAMES):
            try:
                with errors.status(f"measuring {name}"):
                    measured = importlib.import_module(f"benchmarks.{name}").measure(context)
            except Exception:  # a broken one does not lose the figures of the others
                errors.print_exception()
                failed.append(name)
                continue
            reports += measured
            if save:
                _save(name, machine_lines, measured)
    if save:
        summary.write(json.loads(RESULTS.read_text(encoding="utf-8")))
    # the table needs more than the 80 columns that rich assumes for a pipe
    console = Console()
    _show(console if console.is_terminal else Console(width=WIDTH), machine_lines, reports)
    if failed:
        raise click.ClickException(f"these benchmarks do not run: {', '.join(failed)}")


def _save(name: str, machine_lines: list[str], reports: list[Report]) -> None:
    """Replace the figures of one benchmark; those of others stay, with the day they are of."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    kept[name] = {
        "measured": datetime.now(UTC).isoformat(timespec="minutes"),
        "machine": machine_lines,
        "reports": [asdict(report) for report in reports],
    }
    ordered = {name: kept[name] for name in (*NAMES, *SWEEPS) if name in kept}
    with atomic_write(RESULTS) as partial:
        partial.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _show(console: Console, machine_lines: list[str], reports: list[Report]) -> None:
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
    for line in machine_lines:
        console.print(line, highlight=False)


if __name__ == "__main__":
    main()
