"""``slipway verify``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli.models import ModelName
from slipway.cli.options import json_option, stage_option
from slipway.cli.progress import counting, working

if TYPE_CHECKING:
    from slipway.catalog.index.repair import Repair
    from slipway.settings.release import StageName


@click.command()
@click.argument("name", required=False, type=ModelName())
@click.argument("release", required=False)
@click.option("--all", "all_", is_flag=True, help="Verify every release, not only those served.")
@click.option("--again", is_flag=True, help="Read also what an interrupted run has verified.")
@stage_option("Verify only this stage.")
@json_option("Print one JSON list, with all details.")
def verify(
    name: str | None,
    release: str | None,
    all_: bool,
    again: bool,
    stage: str | None,
    as_json: bool,
) -> int:
    """Compare every byte of releases with their records.

    Compares the artifact with its record's digest, each file in it with the manifest, and evidence
    and signatures with what the stage requires. Without RELEASE, verifies what the aliases of NAME,
    or of all models, serve. Exits with 1 if a release is damaged. Without NAME, the index of each
    stage is compared with its catalog as well, and corrected. A run after an interrupted one
    continues there.

    Example: slipway verify --all
    """
    from slipway import settings
    from slipway.release import verify
    from slipway.release.runs.verify_all import unfinished_run, verified_before, verify_all
    from slipway.settings.release import STAGES
    from slipway.units import format_bytes, format_seconds

    configured = settings.load(Path.cwd())
    stages = (cast("StageName", stage),) if stage else STAGES
    with working("reading the catalogs"):
        selection = verify.select_releases(configured, name, release, stages, all_=all_)
    for where, repair in selection.repairs.items():
        _say_repair(where, repair)
    releases = selection.releases
    run = unfinished_run(configured, releases)
    if again:
        run.finish()
        run = unfinished_run(configured, releases)
    before = {
        (each.stage, each.target) for each in releases if verified_before(run, each) is not None
    }
    if before and run.age_s is not None:
        click.echo(
            f"{len(before):,} of {len(releases):,} releases were verified by a run that was"
            f" interrupted {format_seconds(run.age_s)} ago; --again reads them, too",
            err=True,
        )
    results, damaged, size = 0, 0, 0
    with counting("verifying releases") as progress:
        for result in verify_all(configured, releases, run):
            if as_json:
                start = ",\n " if results else "[\n "
                click.echo(start + json.dumps(asdict(result)), nl=False)
            elif result.problems:
                click.echo(f"{result.stage}: {result.target}")
                for problem in result.problems:
                    click.echo(f"  {problem}")
            results += 1
            damaged += bool(result.problems)
            size += 0 if (result.stage, result.target) in before else result.size
            progress(results, len(releases))
    if as_json:
        click.echo("\n]" if results else "[]")
    elif results:
        intact = f"{results - damaged} of {results} releases are intact"
        click.echo(f"{intact} ({format_bytes(size)} read)")
    else:
        click.echo("no releases to verify: slipway publish")
    return int(bool(damaged))


def _say_repair(stage: str, repair: Repair) -> None:
    """Say on standard error what was wrong with the index, and whether it is corrected."""
    for key in repair.damaged:
        click.echo(f"{stage}: the index was damaged: {key}", err=True)
    if repair.differed:
        click.echo(
            f"{stage}: {repair.differed:,} names were not in the index as they are in the catalog;"
            f" {repair.healed:,} are now",
            err=True,
        )
