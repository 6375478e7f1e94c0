"""``slipway cache``."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.options import Size, json_option

if TYPE_CHECKING:
    from slipway.cache import Entry

DAY_S = 86_400


@click.group()
def cache() -> None:
    """Show or trim what Slipway keeps to save time.

    Environments, interpreters, tools, and DVC's objects of this checkout. All of it can be made or
    fetched again.

    Example: slipway cache show
    """


@cache.command()
@json_option("Print a JSON list of all entries.")
def show(as_json: bool) -> None:
    """Show how much is kept, of which kind.

    Example: slipway cache show
    """
    entries = _entries()
    if as_json:
        click.echo(json.dumps([_dump(entry) for entry in entries]))
        return
    _print(entries, "kept")


@cache.command()
@click.option("--to", type=Size(), metavar="SIZE", help="Keep at most this, such as 5GB.")
@click.option(
    "--unused-for",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Remove what was not used for so many days.",
)
@json_option("Print a JSON list of what was removed.")
def trim(to: int | None, unused_for: float | None, as_json: bool) -> None:
    """Remove what was not used for long.

    With --to, what was unused for longest goes first. What was used within the last hour, what a
    process runs from, and weights that a pointer of this checkout names are kept.

    Example: slipway cache trim --to 5GB --unused-for 30
    """
    from slipway import cache

    if to is None and unused_for is None:
        raise click.UsageError("give --to SIZE, --unused-for DAYS, or both")
    seconds = None if unused_for is None else unused_for * DAY_S
    entries = _entries()
    removed = cache.trim(entries, to=to, unused_for=seconds)
    if as_json:
        click.echo(json.dumps([_dump(entry) for entry in removed]))
        return
    _print(removed, "removed")
    left = sum(entry.size for entry in entries) - sum(entry.size for entry in removed)
    if to is not None and left > to:
        from slipway.units import format_bytes

        click.echo(f"{format_bytes(left)} are left: the rest is in use")


def _entries() -> list[Entry]:
    from slipway import cache, settings

    return cache.find_entries(settings.load(Path.cwd()).root)


def _print(entries: list[Entry], what: str) -> None:
    from slipway.units import format_bytes

    now = time.time()
    for kind in sorted({entry.kind for entry in entries}):
        same = [entry for entry in entries if entry.kind == kind]
        size = format_bytes(sum(entry.size for entry in same))
        oldest = (now - min(entry.used for entry in same)) / DAY_S
        click.echo(f"{kind:<22} {size:>9}  {len(same):>5}  unused for up to {oldest:.0f} days")
    total = format_bytes(sum(entry.size for entry in entries))
    click.echo(f"{what}: {total}")


def _dump(entry: Entry) -> dict[str, str | int | float]:
    return {"kind": entry.kind, "path": str(entry.path), "bytes": entry.size, "used": entry.used}
