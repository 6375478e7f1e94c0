"""``slipway promote``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from slipway.cli.progress import working


@click.command()
@click.argument("name")
@click.argument("version", required=False)
@click.option("--to", "stage", type=click.Choice(["production"]), default="production")
@click.option("--json", "as_json", is_flag=True, help="What was done, as one JSON object.")
def promote(name: str, version: str | None, stage: str, as_json: bool) -> None:
    """Release in production the bytes that staging tested: what staging serves of NAME, or VERSION,
    which may be a target model or a part of one, too.

    It is refused if its tests did not pass on exactly these bytes, if it lacks what production
    requires, or if its metrics are worse than allowed. Done again, or late, it changes nothing: not
    what was rolled back meanwhile, and no newer release.

    Example: slipway promote screen_detection 1.2.0
    """
    from slipway import settings
    from slipway.catalog.origin import origin
    from slipway.release import promote as library

    configured = settings.load(Path.cwd())
    with working(f"promoting {name}"):
        made = library.promote(configured, name, version, origin(configured.root))
    if as_json:
        click.echo(json.dumps(asdict(made)))
        return
    state = "promoted" if made.moved else "there already" if not made.created else "copied"
    click.echo(f"{made.name} {made.version} → {stage}: {made.target} ({state})")
    click.echo(f"  the bytes of {made.source} (sha256 {made.sha256[:12]})")
    if made.why is not None:
        click.echo(f"  {made.why}")
    elif made.moved and made.before is not None:
        click.echo(f"  in place of {made.before}; undo: slipway rollback {name}")
