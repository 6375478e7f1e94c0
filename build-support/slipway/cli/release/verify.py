"""``slipway verify``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli.models import ModelName
from slipway.cli.options import json_option, stage_option
from slipway.cli.progress import uploading, working

if TYPE_CHECKING:
    from slipway.settings.release import StageName

READERS = 4  # artifacts at once


@click.command()
@click.argument("name", required=False, type=ModelName())
@click.argument("release", required=False)
@click.option("--all", "all_", is_flag=True, help="Verify every release, not only those served.")
@stage_option("Verify only this stage.")
@json_option("Print one JSON list, with all details.")
def verify(
    name: str | None, release: str | None, all_: bool, stage: str | None, as_json: bool
) -> int:
    """Compare every byte of releases with their records.

    Compares the artifact with its record's digest, each file in it with the manifest, and evidence
    and signatures with what the stage requires. Without RELEASE, verifies what the aliases of NAME,
    or of all models, serve. Exits with 1 if a release is damaged.

    Example: slipway verify --all
    """
    from concurrent.futures import ThreadPoolExecutor

    from slipway import settings
    from slipway.release import verify
    from slipway.settings.release import STAGES
    from slipway.units import format_bytes

    configured = settings.load(Path.cwd())
    stages = (cast("StageName", stage),) if stage else STAGES
    with working("reading the catalogs"):
        releases = verify.select_releases(configured, name, release, stages, all_=all_)
    with (
        uploading(f"verifying {len(releases)} releases", None) as progress,
        ThreadPoolExecutor(READERS) as pool,
    ):
        results = list(pool.map(lambda item: verify.verify(configured, item, progress), releases))
    damaged = [result for result in results if result.problems]
    if as_json:
        click.echo(json.dumps([asdict(result) for result in results], indent=1))
        return int(bool(damaged))
    for result in damaged:
        click.echo(f"{result.stage}: {result.target}")
        for problem in result.problems:
            click.echo(f"  {problem}")
    if results:
        intact = f"{len(results) - len(damaged)} of {len(results)} releases are intact"
        click.echo(f"{intact} ({format_bytes(sum(result.size for result in results))} read)")
    else:
        click.echo("no releases to verify: slipway publish")
    return int(bool(damaged))
