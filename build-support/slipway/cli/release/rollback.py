"""``slipway rollback``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli.models import name_argument
from slipway.cli.options import json_option, renamed_option, stage_option
from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.settings.release import StageName


@click.command()
@name_argument
@click.argument("release", required=False)
@renamed_option("--to", "the argument RELEASE", "release")
@stage_option("Roll back this stage.", default="production")
@click.option("--reason", metavar="TEXT", help="Why it is rolled back, for slipway history.")
@json_option()
def rollback(name: str, release: str | None, stage: str, reason: str | None, as_json: bool) -> None:
    """Serve the previous release of a model, or a given one.

    RELEASE is a release version, a target model or a part of its key. Only the alias moves: clients
    follow within seconds, and no release is removed. A split by weights ends. Each further rollback
    goes one release further back.

    Example: slipway rollback screen_detection --reason "half of the photos are unreadable"
    """
    from slipway import settings
    from slipway.catalog.origin import current_origin
    from slipway.release import rollback

    configured = settings.load(Path.cwd())
    with working(f"rolling back {name}"):
        result = rollback.rollback(
            configured,
            cast("StageName", stage),
            name,
            release,
            current_origin(configured.root),
            reason,
        )
    if as_json:
        click.echo(json.dumps(asdict(result)))
        return
    unchanged = "" if result.moved else " (unchanged)"
    click.echo(f'{result.stage} alias "{result.name}" → {result.target}{unchanged}')
    if result.moved:
        click.echo(f"  before: {result.before}")
    if result.undo is not None:
        click.echo(f"  undo:   {result.undo}")
