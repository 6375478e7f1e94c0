"""``slipway publish``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import cast

import click

from slipway import build as library
from slipway import settings
from slipway.cli import models as named
from slipway.cli.progress import working
from slipway.release import publish as publishing
from slipway.release.keys import Stage
from slipway.release.origin import origin
from slipway.release.publish import Told
from slipway.release.store import open_stage


@click.command()
@named.argument
@named.artifact_option
@click.option("--to", "stage", type=click.Choice(["staging", "production"]), default="staging")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def publish(models: tuple[Path, ...], artifact: Path | None, stage: str, as_json: bool) -> int:
    """Build MODELS, or all, and publish them to the release store of slipway.toml.

    Example: slipway publish models/screen_detection
    """
    configured = settings.load(Path.cwd())
    store = open_stage(configured, cast(Stage, stage))
    told = Told(origin(configured.root))

    def one(folder: Path) -> None:
        with working(f"publishing {folder.name}"):
            file = artifact or library.build(folder, configured, Path("dist")).path
            made = publishing.publish(
                file,
                store,
                stage=cast(Stage, stage),
                sha256=library.recorded(file),
                told=told,
            )
        if as_json:
            click.echo(json.dumps(asdict(made)))
        else:
            state = "published" if made.created else "there already"
            click.echo(f"{made.name} {made.version} → {made.stage}: {made.target} ({state})")

    return named.each(named.chosen(models, configured, artifact), one)
