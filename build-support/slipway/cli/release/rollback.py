"""``slipway rollback``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.catalog.keys import Stage


@click.command()
@click.argument("name")
@click.option("--to", "word", metavar="VERSION", help="Serve this release, or target model.")
@click.option("--stage", type=click.Choice(["staging", "production"]), default="production")
@click.option("--reason", metavar="TEXT", help="Why, for slipway history.")
@click.option("--json", "as_json", is_flag=True, help="What was done, as one JSON object.")
def rollback(name: str, word: str | None, stage: str, reason: str | None, as_json: bool) -> None:
    """Let NAME stand for the release that was served before, or for VERSION.

    Only the alias moves: clients follow within seconds, and the release stays where it is. A split
    by weights ends. Each further rollback goes one release further back.

    Example: slipway rollback screen_detection --reason "half of the photos are unreadable"
    """
    from slipway import settings
    from slipway.catalog.origin import origin
    from slipway.release import rollback as library

    configured = settings.load(Path.cwd())
    with working(f"rolling back {name}"):
        made = library.rollback(
            configured, cast("Stage", stage), name, word, origin(configured.root), reason
        )
    if as_json:
        click.echo(json.dumps(asdict(made)))
        return
    if not made.moved:
        click.echo(f"{made.name} in {made.stage} stands for {made.target} already")
    else:
        click.echo(f"{made.name} in {made.stage} stands for {made.target} again")
        click.echo(f"  before: {made.before}")
    if made.undo is not None:
        click.echo(f"  undo:   {made.undo}")
