"""``slipway pack``."""

from __future__ import annotations

from pathlib import Path

import click

from slipway import build as library
from slipway import environment as environments
from slipway import settings
from slipway.model.folder import read_model_folder

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("model", type=FOLDER)
@click.option("--environment", "folder", type=FOLDER, help="As environment build wrote it.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
def pack(model: Path, folder: Path | None, output: Path) -> None:
    """Pack MODEL, whose weights lie beside their pointers, into the artifact OUTPUT.

    Example: slipway pack models/x --environment dist/environment --output dist/x_1.0.0.tar.gz
    """
    configured = settings.load(model)
    read = read_model_folder(model)
    made = environments.load_environment(folder) if folder else None
    library.finish(read, made, library.beside(read), output, configured)
