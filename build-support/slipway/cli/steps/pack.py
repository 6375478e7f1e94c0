"""``slipway pack``."""

from __future__ import annotations

from pathlib import Path

import click

from slipway.cli.models import model_argument

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@model_argument
@click.option(
    "--environment", "folder", type=FOLDER, help="The output of slipway environment build."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Write this tar.gz.",
)
def pack(model: Path, folder: Path | None, output: Path) -> None:
    """Pack a model and its environment into an artifact.

    The weights have to lie next to their pointers.

    Example: slipway pack models/x --environment dist/environment --output dist/x_1.0.0.tar.gz
    """
    from slipway import build, environment, settings
    from slipway.model.folder import read_model_folder

    configured = settings.load(model)
    source = read_model_folder(model)
    built = environment.load_environment(folder) if folder else None
    weights = build.local_weights(source, configured.root)
    build.pack_artifact(source, built, weights, output, configured)
