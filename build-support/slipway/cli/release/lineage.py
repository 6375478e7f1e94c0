"""``slipway lineage``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli.models import name_argument
from slipway.cli.options import stage_option
from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.settings.release import StageName

FORMATS = ("text", "mermaid", "json")


@click.command()
@name_argument
@click.argument("release", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    show_default=True,
    help="Print text, a flowchart of Mermaid, or one JSON object.",
)
@stage_option("Look for the release in this stage only.")
def lineage(name: str, release: str | None, form: str, stage: str | None) -> None:
    """Show what a release was made from, and where it is served.

    From the data that it was trained on, over code, image, stages and metrics, to its weights, its
    artifact, the alias and the endpoints. What is not known is listed. RELEASE is staging,
    production, a release version, a target model or a part of its key; by default what production
    serves, else staging. Only records are read: no checkout of that commit is needed.

    Example: slipway lineage screen_detection 1.2.0
    """
    from slipway import settings
    from slipway.lineage.build import build_lineage
    from slipway.lineage.facts import read_facts
    from slipway.settings.release import STAGES

    configured = settings.load(Path.cwd())
    stages = (cast("StageName", stage),) if stage else STAGES
    with working(f"reading the lineage of {name}"):
        found = build_lineage(read_facts(configured, name, release, stages))
    if form == "json":
        from slipway.lineage.values import lineage_values

        click.echo(json.dumps(lineage_values(found), indent=1))
    elif form == "mermaid":
        from slipway.lineage.mermaid import render_mermaid

        click.echo(render_mermaid(found), nl=False)
    else:
        from slipway.lineage.text import render_text

        click.echo("\n".join(render_text(found)))
