"""``slipway lock``."""

from __future__ import annotations

from pathlib import Path

import click

from slipway import environment, settings
from slipway.cli import models as named
from slipway.cli.progress import working
from slipway.model.folder import read_model_folder


@click.command()
@named.argument
@click.option("--upgrade", is_flag=True, help="Take newer versions than those locked now.")
def lock(models: tuple[Path, ...], upgrade: bool) -> int:
    """Turn each model's requirements.txt into requirements.lock, with hashes.

    Example: slipway lock models/screen_detection
    """
    configured = settings.load(Path.cwd())

    def one(folder: Path) -> None:
        model = read_model_folder(folder)
        with working(f"locking {model.requirements}"):
            written = environment.lock_requirements(model.requirements, configured, upgrade=upgrade)
        click.echo(f"{written}")

    return named.each(named.chosen(models, configured), one)
