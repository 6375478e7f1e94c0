"""Build a model for a command, and say what its artifact leaves out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.progress import working
from slipway.units import format_megabytes

if TYPE_CHECKING:
    from slipway.artifact.artifact import Artifact
    from slipway.settings import Settings


def build_artifact(folder: Path, settings: Settings, output: Path) -> Artifact:
    """Build the model in ``folder`` into ``output``, with a warning for each file that is left out.

    Raises:
        SlipwayError: as :func:`slipway.build.build`.
    """
    from slipway import build

    with working(f"building {folder.name}"):
        artifact = build.build(folder, settings, output)
    environment = artifact.manifest.environment
    if environment is not None and environment["layout"] == "image":
        click.echo(
            f"note: {artifact.path.name} is without its environment"
            f" {environment['sha256'][:12]}…, which the images of both stages have",
            err=True,
        )
    print_left_out(folder, settings)
    pruned = (artifact.manifest.environment or {}).get("pruned")
    if pruned:
        text = f"{pruned['files']:,} files, {format_megabytes(pruned['size'])}"
        click.echo(f"{folder / 'pruned.txt'} leaves out of the environment: {text}", err=True)
    return artifact


def print_left_out(folder: Path, settings: Settings) -> None:
    """Print a warning on standard error for each source that packing leaves out."""
    from slipway.check import check_left_out

    for finding in check_left_out(folder, settings):
        text = f"warning: {finding.location}: {finding.what} ({finding.rule})\nfix: {finding.fix}"
        click.echo(text, err=True)
