"""``slipway verify``."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli.progress import uploading, working

if TYPE_CHECKING:
    from slipway.catalog.keys import Stage

READERS = 4  # artifacts at once


@click.command()
@click.argument("name", required=False)
@click.argument("version", required=False)
@click.option("--all", "all_", is_flag=True, help="Every release, not only those in service.")
@click.option("--stage", type=click.Choice(["staging", "production"]), help="Only this one.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as one JSON list.")
def verify(
    name: str | None, version: str | None, all_: bool, stage: str | None, as_json: bool
) -> int:
    """Read releases whole and compare every byte: the artifact's digest with its record, each file
    in it with its manifest, its evidence and signatures with what the stage requires.

    Without VERSION: what the aliases of NAME, or of all names, stand for. Exits with 1 if anything
    is wrong.

    Example: slipway verify --all
    """
    from slipway import settings
    from slipway.cli.format import size
    from slipway.release import verify as library
    from slipway.settings.release import STAGES

    configured = settings.load(Path.cwd())
    stages = (cast("Stage", stage),) if stage else STAGES
    with working("reading the catalogs"):
        asked = library.chosen(configured, name, version, stages, all_=all_)
    with uploading(f"verifying {len(asked)} releases", None) as read:
        with ThreadPoolExecutor(READERS) as pool:
            found = list(pool.map(lambda one: library.verify(configured, one, read), asked))
    wrong = [one for one in found if one.problems]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
        return int(bool(wrong))
    for one in wrong:
        click.echo(f"{one.stage}: {one.target}")
        for problem in one.problems:
            click.echo(f"  {problem}")
    read_bytes = size(sum(one.size for one in found))
    whole = f"{len(found) - len(wrong)} of {len(found)} releases are whole ({read_bytes} read)"
    click.echo(whole if found else "no releases to verify: slipway publish")
    return int(bool(wrong))
