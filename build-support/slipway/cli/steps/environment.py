"""``slipway environment``."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from slipway import environment as environments
from slipway import settings
from slipway.cli.progress import working

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def environment() -> None:
    """Execution environments."""


@environment.command("build")
@click.argument("lock", type=FILE)
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--platform", help="conda's name of another platform, such as linux-aarch64.")
def build_environment(lock: Path, output: Path, platform: str | None) -> None:
    """Build, or take from the cache, the environment of LOCK; put its files into OUTPUT.

    Example: slipway environment build models/x/requirements.lock --output dist/environment
    """
    configured = settings.load(lock.parent)
    with working(f"building the environment of {lock}"):
        made = environments.build_environment(lock, configured, platform=platform)
    output.mkdir(parents=True, exist_ok=True)
    for file in sorted(made.folder.iterdir()):
        if file.is_file() and not file.name.startswith("."):
            shutil.copyfile(file, output / file.name)
