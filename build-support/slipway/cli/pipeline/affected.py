"""``slipway affected``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click


@click.command()
@click.option("--base", "revision", metavar="REV", help="Compare with this commit or branch.")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["targets", "models", "json"]),
    default="models",
    show_default=True,
    help="Pants' arguments; model folders, a line each; or all of it.",
)
def affected(revision: str | None, shape: str) -> None:
    """Say which models the checked out commit and what is not committed affect.

    Compared with where the branch left the default one; in a GitLab pipeline, with what fits it.

    Example: slipway affected --format targets
    """
    from slipway import settings
    from slipway.pipeline import affected as library
    from slipway.pipeline.merge_base import base

    root = settings.load(Path.cwd()).root
    found = library.affected(root, base(root, asked=revision))
    if shape == "json":
        click.echo(json.dumps(asdict(found) | {"targets": found.targets()}))
        return
    # not among what a script reads
    click.echo(f"{'everything' if found.everything else 'models'} {found.why}", err=True)
    if shape == "targets":
        click.echo(" ".join(found.targets()))
    for name in found.models if shape == "models" else ():
        click.echo(f"{library.MODELS}/{name}")
