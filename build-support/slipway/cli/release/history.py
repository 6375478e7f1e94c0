"""``slipway history``."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from slipway.cli.models import name_argument
from slipway.cli.options import json_option, stage_option
from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.release.history import HistoryEntry
    from slipway.settings.release import StageName

INDENT = "    "
MOST_CHANGES = 5


@click.command()
@name_argument
@stage_option("List only this stage.")
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="List the newest N events; 0: all.",
)
@json_option("Print one JSON list, with all details.")
def history(name: str, stage: str | None, limit: int, as_json: bool) -> None:
    """List what happened to a model, newest first.

    Shows releases with their commits and whether not all of them was committed, and rollbacks and
    splits with their reasons, by whom and in which pipeline.

    Example: slipway history screen_detection --stage production
    """
    from slipway import settings
    from slipway.release import history
    from slipway.settings.release import STAGES

    configured = settings.load(Path.cwd())
    stages = (cast("StageName", stage),) if stage else STAGES
    with working(f"reading the history of {name}"):
        entries = history.load_history(configured, name, stages, limit + 1 if limit else None)
    if as_json:
        click.echo(json.dumps([entry.dump() for entry in entries[: limit or None]], indent=1))
        return
    if not entries:
        click.echo(f"no events are recorded of {name}; its releases: slipway describe {name}")
    _print(name, entries[: limit or None])
    if limit and len(entries) > limit:
        click.echo("… and earlier events: --limit 0 shows all")


def _print(name: str, entries: Sequence[HistoryEntry]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    rows = [_row(name, entry) for entry in entries]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(5)]
    for entry, row in zip(entries, rows, strict=True):
        cells = [f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)]
        colour = {"rollback": "yellow", "retire": "yellow", "promote": "green"}.get(
            entry.event.action, "default"
        )
        line = "  ".join((*cells[:2], f"[{colour}]{cells[2]}[/]", *cells[3:]))
        console.print(line.rstrip(), soft_wrap=True)
        for detail in _details(entry):
            for wrapped in textwrap.wrap(detail, console.width - len(INDENT)) or [""]:
                console.print(INDENT + wrapped, soft_wrap=True, markup=False, style="dim")


def _row(name: str, entry: HistoryEntry) -> tuple[str, str, str, str, str]:
    from rich.markup import escape

    from slipway.cli.format import pipeline, release
    from slipway.units import format_minute

    event = entry.event
    if event.action == "prune":
        moved = f"{release(name, event.target)} removed"
    elif event.action == "retire":
        moved = f"{release(name, event.target)} → none".strip()
    else:
        before = release(name, event.before) if event.before else ""
        moved = (
            f"{before} → {release(name, event.target)}" if before else release(name, event.target)
        )
    by = " ".join(filter(None, (event.origin.by, pipeline(event.origin.pipeline))))
    return format_minute(event.when), entry.stage, event.action, escape(moved), escape(by)


def _details(entry: HistoryEntry) -> list[str]:
    from slipway.catalog.commit import is_clean
    from slipway.cli.format import full_commit

    reason = [f"“{entry.event.reason}”"] if entry.event.reason else []
    if entry.event.action in ("publish", "promote"):
        # what it brought may have been built elsewhere than where it was promoted
        origin = entry.event.origin if entry.record is None else entry.record.origin
        if not is_clean(origin.commit):
            reason.append(full_commit(origin.commit))
    if entry.record is not None and entry.record.training is not None:
        training = entry.record.training
        reason.append(f"trained by {training.id} on {training.place}")
    changes = list(entry.record.changes) if entry.record is not None else []
    if len(changes) > MOST_CHANGES:
        more = len(changes) - MOST_CHANGES + 1
        changes[MOST_CHANGES - 1 :] = [f"… and {more} more: --json has all"]
    return reason + changes
