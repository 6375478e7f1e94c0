"""``slipway diff``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table

from slipway.artifact import contents
from slipway.artifact.diff import diff as changes

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("a", type=FILE)
@click.argument("b", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="A JSON list of changes.")
def diff(a: Path, b: Path, as_json: bool) -> None:
    """Say what changed from artifact A to artifact B: code, config, weights, packages.

    Example: slipway diff old/screen_detection_1.0.0.tar.gz dist/screen_detection_1.0.1.tar.gz
    """
    found = changes(contents.read(a), contents.read(b))
    if as_json:
        click.echo(json.dumps([asdict(change) for change in found], indent=1))
        return
    console = Console(highlight=False)
    if not found:
        console.print("no difference")
        return
    table = Table("part", "name", "before", "after")
    for change in found:
        if change.detail is None:
            row = (change.name, change.before or "—", change.after or "—")
            table.add_row(change.part, *map(escape, row))
    if table.row_count:
        console.print(table)
    for change in found:
        if change.detail is not None:
            console.print(Syntax(change.detail, "diff", background_color="default"))
