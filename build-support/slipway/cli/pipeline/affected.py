"""``slipway affected``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from slipway.cli.options import json_option, warn_renamed


def _old_json(context: click.Context, option: click.Parameter, value: str) -> str:
    if value == "json":
        warn_renamed("--format json", "--json")
        context.params["as_json"] = True
    return value


@click.command()
@click.option("--base", "revision", metavar="REV", help="Compare with this commit or branch.")
@click.option(
    "--format",
    type=click.Choice(["models", "targets", "json"]),
    metavar="[models|targets]",
    callback=_old_json,
    default="models",
    show_default=True,
    help="Print model folders, one a line, or the arguments of Pants.",
)
@json_option()
def affected(revision: str | None, format: str, as_json: bool) -> None:
    """List the models that a change affects.

    The change is the checked out commit and what is not committed yet, compared with where the
    branch left the default branch. A GitLab pipeline compares with the commit that fits its kind.

    Example: slipway affected --format targets
    """
    from slipway import settings
    from slipway.pipeline.affected import MODELS, find_affected
    from slipway.pipeline.merge_base import find_base

    root = settings.load(Path.cwd()).root
    result = find_affected(root, find_base(root, revision=revision))
    if as_json:
        click.echo(json.dumps(asdict(result) | {"targets": result.targets()}))
        return
    # a script reads standard output, and the reason is for people
    click.echo(f"{'everything' if result.everything else 'models'} {result.why}", err=True)
    if format == "targets":
        click.echo(" ".join(result.targets()))
    for name in result.models if format == "models" else ():
        click.echo(f"{MODELS}/{name}")
