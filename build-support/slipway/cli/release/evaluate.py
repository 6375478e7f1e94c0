"""``slipway evaluate``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli import models as named
from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.catalog.record import Record
    from slipway.release.evaluation.evaluation import Compared
    from slipway.settings import Settings

COLOURS = {"better": "green", "refused": "red"}


@click.command()
@named.argument
@named.artifact_option
@click.option("--strict", is_flag=True, help="Exit with 1 if promotion would be refused.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def evaluate(models: tuple[Path, ...], artifact: Path | None, strict: bool, as_json: bool) -> int:
    """Measure MODELS, or all, and compare with what production serves.

    A model's evaluate.py is called with the model, built or --artifact, on a real Triton; what it
    returns is kept beside the artifact as <artifact>.metrics.json, for publish to put into the
    release's record. Metrics that DVC has of the training are shown with them. evaluation.toml
    in the model's folder says how far each may fall behind.

    \b
    --json    {"name", "artifact", "sha256", "served", "notes", "compared":
              [{"name", "candidate", "served", "rule", "state", "said", "loosened"}]}

    Example: slipway evaluate models/screen_detection
    """
    from slipway import build as library
    from slipway import settings
    from slipway.artifact.artifact import Artifact
    from slipway.model.folder import read_model_folder
    from slipway.model.thresholds import PROGRAM
    from slipway.release.evaluation import evaluation, metrics_file
    from slipway.testing import evaluate as testing

    configured = settings.load(Path.cwd())

    def one(folder: Path) -> bool:
        read_model_folder(folder)
        with working(f"building {folder.name}"):
            built = (
                Artifact(artifact) if artifact else library.build(folder, configured, Path("dist"))
            )
        notes: list[str] = []
        if (folder / PROGRAM).is_file():
            with working(f"evaluating {folder.name}"):
                made = testing.evaluate(folder, configured.root, built.path)
            written = metrics_file.write(built, made.metrics)
            notes = [*made.notes, f"kept in {written}"]
        with working(f"reading the metrics of {folder.name}"):
            found = evaluation.read(folder, built)
            served, problem = _served(folder.resolve().name, configured)
        if found is None:
            click.echo(f"{folder.name}: neither {PROGRAM} nor metrics of DVC", err=True)
            return True
        notes += [*found.notes, *filter(None, [problem])]
        compared = evaluation.compare(found, served)
        if as_json:
            said = {
                "name": folder.resolve().name,
                "artifact": str(built.path),
                "sha256": built.sha256,
                "served": None if served is None else served.version,
                "notes": notes,
                "compared": [_dump(each) for each in compared],
            }
            click.echo(json.dumps(said))
        else:
            _show(folder, compared, served, notes)
        return not (strict and any(each.state == "refused" for each in compared))

    return named.each(named.chosen(models, configured, artifact), one)


def _served(name: str, configured: Settings) -> tuple[Record | None, str | None]:
    """What production serves; or why that is not known, which stops no measurement."""
    from slipway.catalog.catalog import Catalog
    from slipway.store.open import open_stage

    try:
        catalog = Catalog(open_stage(configured, "production"), "production")
        alias = catalog.find_alias(name)
        return (None if alias is None else catalog.record(name, alias.target)), None
    except SlipwayError as error:
        return None, f"what production serves is not known: {error.what}"


def _dump(each: Compared) -> dict[str, object]:
    from slipway.release.evaluation.metrics_file import finite

    return asdict(each) | {"candidate": finite(each.candidate), "served": finite(each.served)}


def _show(folder: Path, compared: list[Compared], served: Record | None, notes: list[str]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("metric", "here", "production", "rule", "")
    for each in compared:
        why = f"{each.state}: {each.said}" if each.said else each.state
        words = [why, *(f"loosened: {change}" for change in each.loosened)]
        said = escape("; ".join(words))
        colour = COLOURS.get(each.state)
        table.add_row(
            escape(each.name),
            _number(each.candidate),
            _number(each.served),
            escape(_rule(each)),
            f"[{colour}]{said}[/]" if colour else said,
        )
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(width=160, highlight=False)  # a pipe is taken for 80 columns
    beside = f" beside production's {served.version}" if served is not None else ""
    console.print(f"{folder.resolve().name}{beside}", markup=False)
    console.print(table)
    for note in notes:
        console.print(note, markup=False)


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:g}"


def _rule(each: Compared) -> str:
    """``higher, margin 0.005, at least 0.95``: which is better, and how far it may fall."""
    if each.rule is None:
        return ""
    rule = each.rule
    bounds = [
        f"{key.replace('_', ' ')} {rule[key]:g}" for key in ("at_least", "at_most") if key in rule
    ]
    margin = [f"margin {rule['margin']}"] if rule["margin"] else []
    return ", ".join([rule["better"], *margin, *bounds])
