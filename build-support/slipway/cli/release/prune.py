"""``slipway prune``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli.models import names_argument
from slipway.cli.options import json_option, stage_option
from slipway.cli.progress import counting, working

if TYPE_CHECKING:
    from slipway.release.prune import PruneCandidate
    from slipway.settings.release import StageName


@click.command()
@names_argument
@click.option(
    "--keep",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    metavar="N",
    help="Keep the N newest releases, and the N that were served last.",
)
@stage_option("Prune only this stage.")
@click.option("--dry-run", is_flag=True, help="List what would be removed, and remove nothing.")
@json_option("Print a JSON list of what was, or would be, removed.")
def prune(
    names: tuple[str, ...], keep: int, stage: str | None, dry_run: bool, as_json: bool
) -> None:
    """Remove the artifacts of old releases.

    Without NAME, of all models. Releases that an alias serves are always kept, so are those that a
    rollback may need. Records and evidence stay, so a pruned release version is never free again.
    The remains of interrupted uploads are removed, too. A run after an interrupted one, or after
    --dry-run, reads only what changed since.

    Example: slipway prune --keep 5 --dry-run
    """
    from slipway import settings
    from slipway.catalog import keys
    from slipway.catalog.origin import current_origin
    from slipway.release import prune
    from slipway.settings.release import STAGES
    from slipway.store.open import open_stage
    from slipway.units import format_seconds

    configured = settings.load(Path.cwd())
    stages = (cast("StageName", stage),) if stage else STAGES
    run = prune.unfinished_run(configured, keep)
    if run.age_s is not None:
        click.echo(
            f"continues what was selected {format_seconds(run.age_s)} ago:"
            " only models that changed since are read again",
            err=True,
        )
    with counting("selecting releases of models") as progress:
        candidates = prune.candidates(configured, names, keep, stages, run=run, progress=progress)
    if dry_run:
        _print(candidates, as_json, "would be removed")
        return
    by = current_origin(configured.root)
    removed: list[PruneCandidate] = []
    with counting("removing artifacts") as progress:
        for done, one in enumerate(prune.prune_all(configured, candidates, by), 1):
            removed += [one] if one is not None else []
            progress(done, len(candidates))
    with working("looking for interrupted uploads"):
        uploads = sum(
            open_stage(configured, name).store.clean(keys.models(name)) for name in stages
        )
    run.finish()
    _print(removed, as_json, "removed")
    if uploads and not as_json:
        click.echo(f"{uploads} interrupted uploads removed")


def _print(pruned: Sequence[PruneCandidate], as_json: bool, done: str) -> None:
    from slipway.units import format_bytes, format_minute

    if as_json:
        click.echo(json.dumps([asdict(artifact) for artifact in pruned], indent=1))
        return
    for artifact in pruned:
        published = f"{format_minute(artifact.published)}  {artifact.stage:10}"
        click.echo(f"{published}  {artifact.target}  {format_bytes(artifact.size)}")
    freed = format_bytes(sum(artifact.size for artifact in pruned))
    click.echo(f"{len(pruned)} artifacts {done}, {freed}" if pruned else f"nothing {done}")
