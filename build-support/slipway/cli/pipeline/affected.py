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
    from slipway.pipeline.affected import MODELS, find_affected
    from slipway.pipeline.merge_base import find_base

    root = settings.load(Path.cwd()).root
    affected = find_affected(root, find_base(root, revision=revision))
    if shape == "json":
        click.echo(json.dumps(asdict(affected) | {"targets": affected.targets()}))
        return
    # not among what a script reads
    click.echo(f"{'everything' if affected.everything else 'models'} {affected.why}", err=True)
    if shape == "targets":
        click.echo(" ".join(affected.targets()))
    for name in affected.models if shape == "models" else ():
        click.echo(f"{MODELS}/{name}")
