"""``slipway evaluate``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.building import build_artifact
from slipway.cli.models import artifact_option, for_each, models_argument, select_folders
from slipway.cli.options import json_option
from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.catalog.record import Record
    from slipway.release.evaluation.evaluation import MetricComparison
    from slipway.settings import Settings

COLOURS = {"better": "green", "refused": "red"}


@click.command()
@models_argument
@artifact_option
@click.option("--strict", is_flag=True, help="Exit with 1 if promotion would be refused.")
@json_option("Print one JSON object a line.")
def evaluate(models: tuple[Path, ...], artifact: Path | None, strict: bool, as_json: bool) -> int:
    """Measure models and compare them with production.

    Without MODEL, all models. Runs a model's evaluate.py against the model on a real Triton server.
    Writes its metrics to <artifact>.metrics.json, which slipway publish puts into the release's
    record. DVC's metrics of the training are shown as well. evaluation.toml in the model's folder
    sets how far each metric may fall.

    \b
    --json    {"name", "artifact", "sha256", "served", "notes", "compared":
              [{"name", "candidate", "served", "rule", "state", "said",
              "loosened"}]}

    Example: slipway evaluate screen_detection
    """
    from slipway import settings
    from slipway.artifact.artifact import Artifact
    from slipway.model.any_folder import read_any_folder
    from slipway.model.thresholds import EVALUATION_PROGRAM
    from slipway.release.evaluation import evaluation, metrics_file
    from slipway.testing import evaluate

    configured = settings.load(Path.cwd())

    def evaluate_one(folder: Path) -> bool:
        read_any_folder(folder)
        built = Artifact(artifact) if artifact else build_artifact(folder, configured, Path("dist"))
        notes: list[str] = []
        if (folder / EVALUATION_PROGRAM).is_file():
            with working(f"evaluating {folder.name}"):
                evaluated = evaluate.evaluate(folder, configured.root, built.path)
            metrics = metrics_file.write_metrics(built, evaluated.metrics)
            notes = [*evaluated.notes, f"written to {metrics}"]
        with working(f"reading the metrics of {folder.name}"):
            measured = evaluation.read_evaluation(folder, built)
            served, problem = _served(folder.resolve().name, configured)
        if measured is None:
            click.echo(f"{folder.name}: neither {EVALUATION_PROGRAM} nor metrics of DVC", err=True)
            return True
        notes += [*measured.notes, *filter(None, [problem])]
        metrics_compared = evaluation.compare_metrics(measured, served)
        if as_json:
            result = {
                "name": folder.resolve().name,
                "artifact": str(built.path),
                "sha256": built.sha256,
                "served": None if served is None else served.version,
                "notes": notes,
                "compared": [_dump(metric) for metric in metrics_compared],
            }
            click.echo(json.dumps(result))
        else:
            _print(folder, metrics_compared, served, notes)
        return not (strict and any(metric.state == "refused" for metric in metrics_compared))

    return for_each(select_folders(models, configured, artifact), evaluate_one)


def _served(name: str, configured: Settings) -> tuple[Record | None, str | None]:
    """Return what production serves, or why that is unknown, which stops no measurement."""
    from slipway.catalog.catalog import Catalog
    from slipway.store.open import open_stage

    try:
        catalog = Catalog(open_stage(configured, "production"))
        alias = catalog.find_alias(name)
        return (None if alias is None else catalog.record(name, alias.target)), None
    except SlipwayError as error:
        return None, f"what production serves is unknown: {error.what}"


def _dump(metric: MetricComparison) -> dict[str, object]:
    from slipway.release.evaluation.metrics_file import finite_or_none

    return asdict(metric) | {
        "candidate": finite_or_none(metric.candidate),
        "served": finite_or_none(metric.served),
    }


def _print(
    folder: Path, metrics: list[MetricComparison], served: Record | None, notes: list[str]
) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("metric", "here", "production", "rule", "")
    for metric in metrics:
        state = f"{metric.state}: {metric.said}" if metric.said else metric.state
        text = escape("; ".join([state, *(f"loosened: {change}" for change in metric.loosened)]))
        colour = COLOURS.get(metric.state)
        table.add_row(
            escape(metric.name),
            _number(metric.candidate),
            _number(metric.served),
            escape(_rule(metric)),
            f"[{colour}]{text}[/]" if colour else text,
        )
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(width=160, highlight=False)  # rich assumes 80 columns for a pipe
    compared_with = f" compared with production's {served.version}" if served is not None else ""
    console.print(f"{folder.resolve().name}{compared_with}", markup=False)
    console.print(table)
    for note in notes:
        console.print(note, markup=False)


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:g}"


def _rule(metric: MetricComparison) -> str:
    """Return which is better and how far it may fall: ``higher, margin 0.005, at least 0.95``."""
    if metric.rule is None:
        return ""
    rule = metric.rule
    bounds = [
        f"{key.replace('_', ' ')} {rule[key]:g}" for key in ("at_least", "at_most") if key in rule
    ]
    margin = [f"margin {rule['margin']}"] if rule["margin"] else []
    return ", ".join([rule["better"], *margin, *bounds])
