"""``slipway status``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.models import names_argument
from slipway.cli.options import json_option
from slipway.cli.progress import counting, working

if TYPE_CHECKING:
    from rich.table import Table

    from slipway.catalog.journal import JournalEvent
    from slipway.catalog.served import ServedRelease
    from slipway.release.overview.stage_view import StageView
    from slipway.release.status import ModelStatus
    from slipway.release.versioning.distance import Distance

BACK = "↶"
MANY = 20  # names that are read without the index, and nobody minds


@click.command()
@names_argument
@click.option(
    "--check", is_flag=True, help="Compare all of catalog and bucket; exit with 1 if they differ."
)
@json_option("Print one JSON list, with all details.")
def status(names: tuple[str, ...], check: bool, as_json: bool) -> int:
    """Show what staging and production serve of each model.

    Shows since when, from which commit and pipeline, what is left to promote, and where catalog and
    bucket differ. Without NAME, shows all models; a large store is then read by its index, which
    --check compares with the catalog. A publication that is running is no difference.

    Example: slipway status
    """
    from slipway import settings
    from slipway.release import status
    from slipway.release.overview.discrepancy import RUNNING

    configured = settings.load(Path.cwd())
    views: Sequence[StageView]
    if names:
        with working("reading the catalogs"):
            statuses, views = status.load_status(configured, names), []
    else:
        with counting("looking at models") as progress:
            overview = status.load_overview(configured, complete=check, progress=progress)
        statuses, views = overview.models, list(overview.views.values())
    if as_json:
        click.echo(json.dumps([model.dump() for model in statuses], indent=1))
        for note in _notes(views):
            click.echo(note, err=True)
    else:
        _print(statuses, _notes(views), all(view.listing is not None for view in views))
    differences = [one for model in statuses for one in model.discrepancies if one.what != RUNNING]
    return int(check and bool(differences))


def _notes(views: Sequence[StageView]) -> list[str]:
    """Return how far the index was relied on, and where it was wrong."""
    notes = []
    partial = [view for view in views if view.listing is None]
    if partial:
        compared, lines = sum(v.compared for v in partial), sum(v.lines for v in partial)
        notes.append(
            f"by the index, of which {compared} of {lines:,} lines were compared with the catalog;"
            " slipway status --check compares catalog and bucket"
        )
    read = sum(view.read for view in views)
    if read > MANY:
        healed = sum(view.healed for view in views)
        notes.append(f"{read:,} names were not in the index; {healed:,} of them are now")
    differed = sum(view.differed for view in views)
    if differed:
        notes.append(
            f"the index was wrong about {differed:,} of the models, so all was compared: an alias"
            " was moved by hand, or by a Slipway from before the index"
        )
    damaged = [key for view in views for key in view.damaged]
    if damaged:
        notes.append(f"damaged, and ignored: {', '.join(damaged[:3])}; slipway verify writes it")
    return notes


def _print(statuses: Sequence[ModelStatus], notes: Sequence[str], complete: bool) -> None:
    from rich.console import Console

    from slipway.cli.format import ASTERISK, UNCOMMITTED

    console = Console(highlight=False)
    models = [status for status in statuses if status.name]
    if not statuses:
        console.print("no releases yet: slipway publish")
        return
    if models:
        console.print(_table(models))
    differences = [one for status in statuses for one in status.discrepancies]
    staging = sum(model.releases["staging"] for model in models)
    production = sum(model.releases["production"] for model in models)
    console.print(
        f"{len(models)} {'model' if len(models) == 1 else 'models'};"
        f" releases: {staging} in staging, {production} in production"
    )
    if any(_rolled_back(model.production) or _rolled_back(model.staging) for model in models):
        console.print(f"[dim]{BACK} rolled back; slipway history NAME shows why[/]")
    if any(_is_uncommitted(served) for m in models for served in (m.staging, m.production)):
        console.print(f"[dim]{ASTERISK} {UNCOMMITTED}[/]")
    if differences:
        count = "1 difference" if len(differences) == 1 else f"{len(differences)} differences"
        console.print(f"[red]{count}[/] between catalog and bucket:")
    elif complete:
        console.print("catalog and bucket agree")
    for note in notes:
        console.print(f"[dim]{note}[/]", soft_wrap=True)
    for one in differences:
        console.print(f"[red]{one.what}[/]: {one.key}", soft_wrap=True)
        console.print(f"  fix: {one.fix}", soft_wrap=True)


def _table(models: Sequence[ModelStatus]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="italic")
    table.add_column("model", overflow="fold")
    table.add_column("staging", overflow="fold")
    table.add_column("production", overflow="fold")
    table.add_column("to promote", overflow="fold")
    for model in models:
        table.add_row(
            f"[bold]{escape(model.name)}[/]",
            "\n".join(_lines(model.name, model.staging, model.retired.get("staging"))),
            "\n".join(_lines(model.name, model.production, model.retired.get("production"))),
            _left_to_promote(model),
        )
    return table


def _lines(name: str, served: ServedRelease | None, retired: JournalEvent | None) -> list[str]:
    """Return what is served and since when, then by whom and from which commit, as markup; or when
    it was retired, and by whom."""
    from rich.markup import escape

    from slipway.cli.format import commit, pipeline, release
    from slipway.units import format_age

    if retired is not None:
        who = " ".join(filter(None, (pipeline(retired.origin.pipeline), retired.origin.by)))
        return [f"[yellow]retired[/] {format_age(retired.when)}", f"[dim]{escape(who)}[/]"]
    if served is None:
        return ["[dim]—[/]"]
    variants, total = served.alias.variants, sum(v.weight for v in served.alias.variants)
    lines = [
        f"[bold]{release(name, v.target)}[/]"
        + (f" {100 * v.weight / total:.3g} %" if len(variants) > 1 else "")
        for v in variants
    ]
    if served.alias.shadow is not None:
        lines.append(f"shadow {release(name, served.alias.shadow)}")
    since = format_age(served.since) if served.since else ""
    lines[-1] += f" {since}" + (f" {BACK}" if _rolled_back(served) else "")
    by = [commit(served.commit), pipeline(served.pipeline), served.by or ""]
    return [*lines, f"[dim]{escape(' '.join(filter(None, by)))}[/]"]


def _left_to_promote(model: ModelStatus) -> str:
    if model.staging is None:
        return ""
    if "production" in model.retired:
        return ""
    if model.production is None:
        return "[yellow]everything[/]" if model.staging.version else ""
    return "" if model.distance is None else _distance(model.distance)


def _distance(distance: Distance) -> str:
    if distance.state == "same":
        return "[dim]nothing[/]"
    commits = ""
    if distance.commits:
        commits = f"{distance.commits} commit" + ("s" if distance.commits > 1 else "")
    if distance.state == "ahead":
        return f"[yellow]{commits or 'newer'}[/]"
    state = "older" if distance.state == "behind" else "other bytes"
    return f"[yellow]{state}{', ' + commits if commits else ''}[/]"


def _is_uncommitted(served: ServedRelease | None) -> bool:
    from slipway.catalog.commit import is_clean

    return served is not None and served.commit is not None and not is_clean(served.commit)


def _rolled_back(served: ServedRelease | None) -> bool:
    return served is not None and served.action == "rollback"
