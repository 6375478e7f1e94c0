"""``slipway promote``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from slipway.cli.models import name_argument
from slipway.cli.options import json_option, warn_renamed
from slipway.cli.progress import working
from slipway.cli.release.registration import register_release


def _old_to(context: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is not None:
        warn_renamed("--to production", "slipway promote NAME [RELEASE] without it")


@click.command()
@name_argument
@click.argument("release", required=False)
@click.option(
    "--to", type=click.Choice(["production"]), hidden=True, expose_value=False, callback=_old_to
)
@click.option(
    "--tests",
    "recorded",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The test result that another machine recorded: slipway test --record FILE.",
)
@json_option()
def promote(name: str, release: str | None, recorded: Path | None, as_json: bool) -> None:
    """Release in production what staging tested.

    RELEASE is a release version, a target model or a part of its key; by default what staging
    serves of NAME. Promotion is refused if the tests did not pass on exactly these bytes, if
    something that production requires is missing, or if metrics are worse than allowed. Repeated or
    late, it never replaces a newer release or undoes a rollback.

    Example: slipway promote screen_detection 1.2.0
    """
    from slipway import settings
    from slipway.catalog.origin import current_origin
    from slipway.release import promote

    configured = settings.load(Path.cwd())
    with working(f"promoting {name}"):
        result = promote.promote(
            configured, name, release, current_origin(configured.root), recorded=recorded
        )
    registered = register_release(configured, "production", name, result.target)
    if as_json:
        click.echo(json.dumps(asdict(result) | {"model_package": registered.arn}))
        return
    unmoved = "copied" if result.created else "already there"
    state = "promoted" if result.moved else unmoved
    click.echo(f"{result.name} {result.version} → production: {result.target} ({state})")
    click.echo(f"  the bytes of {result.source} (sha256 {result.sha256[:12]})")
    if result.why is not None:
        click.echo(f"  {result.why}")
    elif result.moved and result.before is not None:
        click.echo(f"  replaces {result.before}; undo: slipway rollback {name}")
