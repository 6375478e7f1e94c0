"""``slipway prune``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.catalog.keys import Stage
    from slipway.release.prune import Pruned


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--keep", type=click.IntRange(1), default=5, show_default=True, metavar="N")
@click.option("--stage", type=click.Choice(["staging", "production"]), help="Only this one.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="What went, or would go, as a JSON list.")
def prune(
    names: tuple[str, ...], keep: int, stage: str | None, dry_run: bool, as_json: bool
) -> None:
    """Remove the artifacts of old releases of NAME, or of all: never one that an alias names, none
    of the N newest, and none of the N that were served last, so that a rollback finds them.

    Records and evidence stay: a version that was pruned is taken for ever. What uploads left that
    were cut off is removed, too.

    Example: slipway prune --keep 5 --dry-run
    """
    from slipway import settings
    from slipway.catalog import keys
    from slipway.catalog.origin import origin
    from slipway.release import prune as library
    from slipway.settings.release import STAGES
    from slipway.store.open import open_stage

    configured = settings.load(Path.cwd())
    stages = (cast("Stage", stage),) if stage else STAGES
    with working("reading the catalogs"):
        found = library.candidates(configured, names, keep, stages)
    if dry_run:
        _print(found, as_json, "would be removed")
        return
    by = origin(configured.root)
    with working(f"removing {len(found)} artifacts"):
        gone = [one for one in found if library.prune(configured, one, by)]
        left = sum(open_stage(configured, one).clean(keys.models(one)) for one in stages)
    _print(gone, as_json, "removed")
    if left and not as_json:
        click.echo(f"{left} uploads that were cut off are cleaned away")


def _print(found: Sequence[Pruned], as_json: bool, done: str) -> None:
    from slipway.cli.format import minute, size

    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
        return
    for one in found:
        click.echo(f"{minute(one.published)}  {one.stage:10}  {one.target}  {size(one.size)}")
    freed = size(sum(one.size for one in found))
    click.echo(f"{len(found)} artifacts {done}, {freed}" if found else f"nothing {done}")
