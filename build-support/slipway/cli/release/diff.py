"""``slipway diff``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.models import ModelName
from slipway.cli.options import json_option
from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.artifact.diff import Change
    from slipway.release.compare import ComparedRelease, ReleaseComparison

MD5 = re.compile(
    r"(?<=md5 )([0-9a-f]{12})[0-9a-f]{20}"
)  # for people; --json has the complete digest
LONGEST_NAME = 24  # longer names do not move the column of the values


@click.command()
@click.argument("words", nargs=-1, metavar="A B | NAME RELEASE RELEASE")
@json_option("Print a JSON list of changes; of two releases, one JSON object.")
def diff(words: tuple[str, ...], as_json: bool) -> None:
    """Show what differs between two artifacts or releases.

    Of the artifacts A and B: code, config, weights and packages. Of two releases of NAME, also
    their interface, metrics and evidence. RELEASE is staging, production, a release version, a
    target model or a part of its key.

    Example: slipway diff screen_detection staging production
    """
    if len(words) == 3:
        from slipway import settings
        from slipway.release.compare import compare

        name, before, after = ModelName().convert(words[0], None, None), *words[1:]
        with working(f"comparing two releases of {name}"):
            comparison = compare(settings.load(Path.cwd()), name, before, after)
        _print_releases(comparison, as_json)
        return
    if len(words) != 2:
        raise click.UsageError("name two artifacts, or a model and two of its releases")
    from slipway.artifact.contents import read_contents
    from slipway.artifact.diff import diff

    a, b = (read_contents(Path(word)) for word in words)
    changes = diff(a, b)
    if as_json:
        click.echo(json.dumps([asdict(change) for change in changes], indent=1))
    else:
        _print(changes)


def _print_releases(comparison: ReleaseComparison, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_dump(comparison), indent=1))
        return
    rows = [_row(side) for side in (comparison.before, comparison.after)]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
    if comparison.before.record.sha256 == comparison.after.record.sha256:
        click.echo("the same bytes")
        return
    click.echo()
    _print(comparison.changes)
    if comparison.commits:
        lines = ("commits", *(f"  {commit}" for commit in comparison.commits))
        click.echo("\n" + "\n".join(lines))


def _dump(comparison: ReleaseComparison) -> dict[str, object]:
    sides = {"before": comparison.before, "after": comparison.after}
    releases: dict[str, object] = {
        key: {
            "stage": side.stage,
            "target": side.record.target,
            "version": side.record.version,
            "sha256": side.record.sha256,
        }
        for key, side in sides.items()
    }
    return releases | {
        "changes": [_dump_change(change) for change in comparison.changes],
        "commits": list(comparison.commits),
    }


def _dump_change(change: Change) -> dict[str, str | None]:
    """Return a change as JSON values. Evidence that is present is "there", as scripts know it."""
    from slipway.release.compare import PRESENT

    values: dict[str, str | None] = asdict(change)
    if change.part == "evidence":
        for side in ("before", "after"):
            values[side] = "there" if values[side] == PRESENT else values[side]
    return values


def _row(side: ComparedRelease) -> tuple[str, ...]:
    from slipway.cli.format import commit, release
    from slipway.units import format_bytes, format_minute

    record = side.record
    return (
        side.stage,
        release(record.name, record.target),
        format_minute(record.published),
        commit(record.commit),
        "" if record.size is None else format_bytes(record.size),
    )


def _print(changes: Sequence[Change]) -> None:
    from rich.console import Console
    from rich.syntax import Syntax

    console = Console(highlight=False)
    if not changes:
        console.print("no difference")
        return
    plain = [change for change in changes if change.detail is None]
    part_width = max((len(change.part) for change in plain), default=0)
    name_width = max((len(change.name) for change in plain), default=0)
    part = ""
    for change in plain:
        title = f"{change.part if change.part != part else '':{part_width}}"
        part = change.part
        values = [MD5.sub(r"\1", value or "—") for value in (change.before, change.after)]
        line = f"{title}  {change.name:{min(name_width, LONGEST_NAME)}}  {' → '.join(values)}"
        if len(line) > console.width:  # a long file name or a digest: the values on a second line
            line = f"{title}  {change.name}\n{'':{part_width}}    {' → '.join(values)}"
        console.print(line, markup=False, soft_wrap=True)
    for change in changes:
        if change.detail is not None:
            console.print(Syntax(change.detail, "diff", background_color="default"))
