"""``slipway build``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from slipway.cli.building import build_artifact
from slipway.cli.models import for_each, models_argument, select_folders
from slipway.cli.options import json_option


@click.command()
@models_argument
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default="dist",
    show_default=True,
    help="Write the artifacts into this folder.",
)
@json_option("Print one JSON object a line.")
def build(models: tuple[Path, ...], output: Path, as_json: bool) -> int:
    """Build the artifacts of models.

    Without MODEL, of all models.

    Example: slipway build screen_detection
    """
    from slipway import settings
    from slipway.units import format_megabytes

    configured = settings.load(Path.cwd())

    def build_one(folder: Path) -> None:
        artifact = build_artifact(folder, configured, output)
        if as_json:
            values = {"path": str(artifact.path), "sha256": artifact.sha256, "size": artifact.size}
            click.echo(json.dumps(values))
        else:
            megabytes = format_megabytes(artifact.size)
            click.echo(f"{artifact.path}  {megabytes}  sha256 {artifact.sha256}")

    return for_each(select_folders(models, configured), build_one)
