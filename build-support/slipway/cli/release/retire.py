"""``slipway retire``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli.models import name_argument
from slipway.cli.options import json_option, stage_option
from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.settings.release import StageName


@click.command()
@name_argument
@stage_option("Retire it in this stage.", default="production")
@click.option("--reason", metavar="TEXT", help="Why it is retired, for slipway history.")
@json_option()
def retire(name: str, stage: str, reason: str | None, as_json: bool) -> None:
    """Stop serving a model under its name.

    The alias goes away, and clients that ask for NAME get an error within seconds. No release is
    removed, and target models can still be invoked by their key. A promotion does not serve it
    again, a rollback does.

    Example: slipway retire sentiment --reason "replaced by sentiment_v2"
    """
    from slipway import settings
    from slipway.catalog.origin import current_origin
    from slipway.release import retire

    configured = settings.load(Path.cwd())
    with working(f"retiring {name}"):
        origin = current_origin(configured.root)
        result = retire.retire(configured, cast("StageName", stage), name, origin, reason)
    if as_json:
        click.echo(json.dumps(asdict(result)))
        return
    unchanged = "" if result.retired else " (unchanged)"
    click.echo(f'{result.stage} alias "{result.name}" → none, retired{unchanged}')
    click.echo(f"  before: {result.before}")
    if result.undo is not None:
        click.echo(f"  undo:   {result.undo}")
