"""``slipway diff``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.artifact.diff import Change
    from slipway.release.compare import Comparison, Side

MD5 = re.compile(r"(?<=md5 )([0-9a-f]{12})[0-9a-f]{20}")  # for people; --json has it whole
LONGEST_NAME = 24  # that the values of others are aligned with


@click.command()
@click.argument("words", nargs=-1, metavar="A B | NAME staging production | NAME VERSION VERSION")
@click.option("--json", "as_json", is_flag=True, help="A JSON list of changes.")
def diff(words: tuple[str, ...], as_json: bool) -> None:
    """Say what changed from artifact A to artifact B: code, config, weights, packages.

    With NAME, of two of its releases, with their interface, metrics and evidence: what promoting
    would change (staging production), or two versions, target models or parts of them.

    Example: slipway diff screen_detection staging production
    """
    if len(words) == 3:
        from slipway import settings
        from slipway.release.compare import compare

        name, before, after = words
        with working(f"comparing two releases of {name}"):
            compared = compare(settings.load(Path.cwd()), name, before, after)
        _print_releases(compared, as_json)
        return
    if len(words) != 2:
        raise click.UsageError("two artifacts, or a name and two releases of it")
    from slipway.artifact.contents import read_contents
    from slipway.artifact.diff import diff as changes

    a, b = (read_contents(Path(word)) for word in words)
    found = changes(a, b)
    if as_json:
        click.echo(json.dumps([asdict(change) for change in found], indent=1))
    else:
        _print(found)


def _print_releases(compared: Comparison, as_json: bool) -> None:
    if as_json:
        sides = (("before", compared.before), ("after", compared.after))
        said: dict[str, object] = {
            side: {
                "stage": each.stage,
                "target": each.record.target,
                "version": each.record.version,
                "sha256": each.record.sha256,
            }
            for side, each in sides
        }
        said |= {"changes": [asdict(change) for change in compared.changes]}
        click.echo(json.dumps(said | {"commits": list(compared.commits)}, indent=1))
        return
    rows = [_side(side) for side in (compared.before, compared.after)]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
    if compared.before.record.sha256 == compared.after.record.sha256:
        click.echo("the same bytes")
        return
    click.echo()
    _print(compared.changes)
    if compared.commits:
        click.echo("\n" + "\n".join(("commits", *(f"  {commit}" for commit in compared.commits))))


def _side(side: Side) -> tuple[str, ...]:
    from slipway.cli.format import commit, minute, release, size

    record = side.record
    weighs = "" if record.size is None else size(record.size)
    shown = release(record.name, record.target)
    return side.stage, shown, minute(record.published), commit(record.commit), weighs


def _print(found: Sequence[Change]) -> None:
    from rich.console import Console
    from rich.syntax import Syntax

    console = Console(highlight=False)
    if not found:
        console.print("no difference")
        return
    plain = [change for change in found if change.detail is None]
    widths = [max((len(text) for text in column), default=0) for column in _columns(plain)]
    part = ""
    for change in plain:
        title = f"{change.part if change.part != part else '':{widths[0]}}"
        part = change.part
        values = [MD5.sub(r"\1", value or "—") for value in (change.before, change.after)]
        said = f"{title}  {change.name:{min(widths[1], LONGEST_NAME)}}  {' → '.join(values)}"
        if len(said) > console.width:  # a file's name, or a digest: the values on a line of theirs
            said = f"{title}  {change.name}\n{'':{widths[0]}}    {' → '.join(values)}"
        console.print(said, markup=False, soft_wrap=True)
    for change in found:
        if change.detail is not None:
            console.print(Syntax(change.detail, "diff", background_color="default"))


def _columns(found: Sequence[Change]) -> tuple[list[str], list[str]]:
    return [change.part for change in found], [change.name for change in found]
