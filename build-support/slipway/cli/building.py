"""Build a model for a command, and say what its artifact leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    if environment is not None:
        _print_place(artifact.path.name, environment, settings)
    print_left_out(folder, settings)
    pruned = (artifact.manifest.environment or {}).get("pruned")
    if pruned:
        text = f"{pruned['files']:,} files, {format_megabytes(pruned['size'])}"
        click.echo(f"{folder / 'pruned.txt'} leaves out of the environment: {text}", err=True)
    return artifact


def _print_place(name: str, environment: Mapping[str, Any], settings: Settings) -> None:
    """Say on standard error if an artifact is without its environment, or could be."""
    from slipway.settings.release import STAGES

    digest = str(environment["sha256"])
    having = [stage for stage in STAGES if digest in settings.stage(stage).base_environments]
    if environment["layout"] == "image":
        text = f"{name} is without its environment {digest[:12]}…, which the images of both stages"
        click.echo(f"note: {text} have", err=True)
    elif len(having) == 1:
        text = f"{name} has its environment {digest[:12]}…, as only {having[0]}'s images have it"
        click.echo(f"note: {text}", err=True)


def print_left_out(folder: Path, settings: Settings) -> None:
    """Print a warning on standard error for each source that packing leaves out."""
    from slipway.check import check_left_out

    for finding in check_left_out(folder, settings):
        text = f"warning: {finding.location}: {finding.what} ({finding.rule})\nfix: {finding.fix}"
        click.echo(text, err=True)
