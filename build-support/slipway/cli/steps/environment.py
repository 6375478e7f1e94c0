"""``slipway environment``."""

from __future__ import annotations

from pathlib import Path

import click

from slipway.cli.models import model_argument
from slipway.cli.progress import working
from slipway.units import format_megabytes

LARGEST = 10  # lines of pruned.txt that are shown
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


@environment.command("prune")
@model_argument
def prune_environment(model: Path) -> None:
    """Write what a model's environment can do without: pruned.txt.

    Runs the tests of MODEL, its folder or its name, on a real server, and notes each module that
    they import. What they do not import, and nothing that stays names, goes into MODEL/pruned.txt.
    Each build leaves that out from then on. Review the file, and commit it. To undo it, delete a
    line or the file; `keep PATTERN` in it keeps files that no test imports.

    Example: slipway environment prune screen_detection
    """
    from slipway import settings
    from slipway.testing.pruning import prune

    done = prune(model, settings.load(Path.cwd()))
    click.echo(f"{done.file}: {len(done.pruned.names)} lines")
    for name, size in sorted(done.sizes.items(), key=lambda item: -item[1])[:LARGEST]:
        click.echo(f"  {format_megabytes(size, 2):>9}  {name}")
    for what, built in (("before", done.before), ("now", done.after)):
        click.echo(
            f"{what + ':':7} {format_megabytes(built.size)} packed,"
            f" {format_megabytes(built.unpacked)} in {built.files:,} files"
        )
