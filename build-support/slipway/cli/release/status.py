"""``slipway status``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.progress import working

if TYPE_CHECKING:
    from rich.table import Table

    from slipway.release.status import Served, Status
    from slipway.release.versioning.distance import Distance

BACK = "↶"


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "as_json", is_flag=True, help="Everything, as one JSON list.")
def status(names: tuple[str, ...], as_json: bool) -> None:
    """Show what staging and production serve of each model, since when, from which commit and
    pipeline, what is left to promote, and where catalog and bucket differ.

    Example: slipway status
    """
    from slipway import settings
    from slipway.release import status as library

    configured = settings.load(Path.cwd())
    with working("reading the catalogs"):
        found = library.status(configured, names)
    if as_json:
        click.echo(json.dumps([one.dump() for one in found], indent=1))
        return
    _print(found)


def _print(found: Sequence[Status]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    models = [one for one in found if one.name]
    if not found:
        console.print("no releases yet: slipway publish")
        return
    if models:
        console.print(_table(models))
    drift = [drift for one in found for drift in one.drift]
    staging = sum(one.releases["staging"] for one in models)
    production = sum(one.releases["production"] for one in models)
    console.print(
        f"{len(models)} {'model' if len(models) == 1 else 'models'};"
        f" releases: {staging} in staging, {production} in production"
    )
    if any(_rolled_back(one.production) or _rolled_back(one.staging) for one in models):
        console.print(f"[dim]{BACK} rolled back; slipway history NAME says why[/]")
    if drift:
        said = "1 difference" if len(drift) == 1 else f"{len(drift)} differences"
        console.print(f"[red]{said}[/] between catalog and bucket:")
    else:
        console.print("catalog and bucket agree")
    for one in drift:
        console.print(f"[red]{one.what}[/]: {one.key}", soft_wrap=True)
        console.print(f"  fix: {one.fix}", soft_wrap=True)


def _table(models: Sequence[Status]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="italic")
    table.add_column("model", overflow="fold")
    table.add_column("staging", overflow="fold")
    table.add_column("production", overflow="fold")
    table.add_column("to promote", overflow="fold")
    for one in models:
        rows = [_lines(one.name, one.staging), _lines(one.name, one.production)]
        table.add_row(f"[bold]{escape(one.name)}[/]", *("\n".join(row) for row in rows), _left(one))
    return table


def _lines(name: str, served: Served | None) -> list[str]:
    """What is served since when, then from where; as markup."""
    from rich.markup import escape

    from slipway.cli.format import age, commit, pipeline, release

    if served is None:
        return ["[dim]—[/]"]
    variants, total = served.alias.variants, sum(v.weight for v in served.alias.variants)
    said = [
        f"[bold]{release(name, v.target)}[/]"
        + (f" {100 * v.weight / total:.3g} %" if len(variants) > 1 else "")
        for v in variants
    ]
    if served.alias.shadow is not None:
        said.append(f"shadow {release(name, served.alias.shadow)}")
    since = age(served.since) if served.since else ""
    said[-1] += f" {since}" + (f" {BACK}" if _rolled_back(served) else "")
    by = [commit(served.commit), pipeline(served.pipeline), served.by or ""]
    return [*said, f"[dim]{escape(' '.join(filter(None, by)))}[/]"]


def _left(one: Status) -> str:
    if one.staging is None:
        return ""
    if one.production is None:
        return "[yellow]all of it[/]" if one.staging.version else ""
    return "" if one.distance is None else _distance(one.distance)


def _distance(distance: Distance) -> str:
    if distance.state == "same":
        return "[dim]nothing[/]"
    commits = ""
    if distance.commits:
        commits = f"{distance.commits} commit" + ("s" if distance.commits > 1 else "")
    if distance.state == "ahead":
        return f"[yellow]{commits or 'newer'}[/]"
    word = "older" if distance.state == "behind" else "other bytes"
    return f"[yellow]{word}{', ' + commits if commits else ''}[/]"


def _rolled_back(served: Served | None) -> bool:
    return served is not None and served.action == "rollback"
