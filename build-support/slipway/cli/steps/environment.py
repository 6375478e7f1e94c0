"""``slipway environment``."""

from __future__ import annotations

from pathlib import Path

import click

from slipway.cli.progress import working

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def environment() -> None:
    """Build an execution environment from a lock file.

    Example: slipway environment build models/x/requirements.lock --output dist/environment
    """


@environment.command("build")
@click.argument("lock", type=FILE)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Write the files into this folder.",
)
@click.option("--platform", help="Build for this platform of conda, such as linux-aarch64.")
def build_environment(lock: Path, output: Path, platform: str | None) -> None:
    """Build the environment of a lock file, or take it from the cache.

    Example: slipway environment build models/x/requirements.lock --output dist/environment
    """
    import shutil

    from slipway import environment, settings

    configured = settings.load(lock.parent)
    with working(f"building the environment of {lock}"):
        built = environment.build_environment(lock, configured, platform=platform)
    output.mkdir(parents=True, exist_ok=True)
    for file in sorted(built.folder.iterdir()):
        if file.is_file() and not file.name.startswith("."):
            shutil.copyfile(file, output / file.name)
