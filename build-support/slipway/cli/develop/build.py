"""``slipway build``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from slipway import build as library
from slipway import settings
from slipway.cli import models as named
from slipway.cli.progress import working


@click.command()
@named.argument
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), default="dist")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def build(models: tuple[Path, ...], output: Path, as_json: bool) -> int:
    """Build the artifacts of MODELS, or of all models.

    Example: slipway build models/screen_detection
    """
    configured = settings.load(Path.cwd())

    def one(folder: Path) -> None:
        with working(f"building {folder.name}"):
            packed = library.build(folder, configured, output)
        if as_json:
            values = {"path": str(packed.path), "sha256": packed.sha256, "size": packed.size}
            click.echo(json.dumps(values))
        else:
            click.echo(f"{packed.path}  {packed.size / 1e6:.1f} MB  sha256 {packed.sha256}")

    return named.each(named.chosen(models, configured), one)
