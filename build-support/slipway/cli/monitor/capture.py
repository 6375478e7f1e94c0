"""``slipway capture``."""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.models import name_argument
from slipway.cli.monitor.window import Window
from slipway.cli.options import FILE, json_option
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slipway.capture.location import CaptureLocation
    from slipway.capture.record import CapturedRequest

endpoint_option = click.option(
    "--endpoint", "where", metavar="NAME", default="local", show_default=True,
    help="Endpoint name from slipway.toml.",
)  # fmt: skip
captures_option = click.option(
    "--captures",
    metavar="LOCATION",
    help="Read this folder or s3://bucket/prefix, of any endpoint, SageMaker's own included.",
)
since_option = click.option(
    "--since", type=Window(), default="1d", show_default=True, help="Begin so long ago: 1d, 12h."
)


@click.group()
def capture() -> None:
    """Show, export and forget captured requests.

    slipway endpoint up --capture and the client capture; capture.toml in a model's folder says how
    much of it, and which tensors are redacted.

    Example: slipway capture list
    """


@capture.command("list")
@endpoint_option
@captures_option
@json_option("Print one JSON object.")
def list_(where: str, captures: str | None, as_json: bool) -> None:
    """List what is captured of each release.

    Reads the names of the files, and one line of each release.

    Example: slipway capture list --endpoint production
    """
    from slipway.capture.summary import summarize
    from slipway.cli.monitor.capture_text import print_summary

    location, own = _location(where, captures)
    summary = summarize(location, endpoint=own)
    if as_json:
        values = {
            "location": str(location),
            "releases": [release.dump() for release in summary.releases],
            "foreign_files": summary.foreign,
            "open_bytes": summary.open_bytes,
        }
        click.echo(json.dumps(values, indent=1))
        return
    print_summary(summary, str(location))


@capture.command()
@name_argument
@endpoint_option
@captures_option
@since_option
@click.option(
    "--last", type=click.IntRange(1), default=5, show_default=True, help="Show the last N requests."
)
@json_option("Print one JSON object for each request.")
def show(
    name: str, where: str, captures: str | None, since: timedelta, last: int, as_json: bool
) -> None:
    """Show the last captured requests of a model.

    Long values are cut off.

    Example: slipway capture show sentiment --last 3
    """
    from slipway.cli.monitor.capture_text import print_request, request_values

    requests: deque[CapturedRequest] = deque(_read(name, where, captures, since), maxlen=last)
    _require_some(name, len(requests), where, captures, since)
    for request in sorted(requests, key=lambda request: request.when):
        if as_json:
            click.echo(json.dumps(request_values(request)))
        else:
            print_request(request)


@capture.command()
@name_argument
@endpoint_option
@captures_option
@since_option
@click.option(
    "--output", type=FILE, required=True, metavar="FILE", help="Write to this .jsonl or .npz file."
)
def export(name: str, where: str, captures: str | None, since: timedelta, output: Path) -> None:
    """Write the captured rows of a model to a file.

    Inputs and outputs, by tensor. Redacted tensors are left out, and named. So are answers of
    shadows.

    Example: slipway capture export sentiment --since 7d --output rows.npz
    """
    from slipway.capture.export import write_rows

    answers = (
        request for request in _read(name, where, captures, since) if request.role == "answer"
    )
    rows, redacted = write_rows(answers, output)
    click.echo(f"{output}: {rows:,} rows")
    if redacted:
        click.echo(f"left out, since they are redacted: {', '.join(redacted)}")


@capture.command()
@name_argument
@click.argument("event_id")
@endpoint_option
@captures_option
@since_option
def case(name: str, event_id: str, where: str, captures: str | None, since: timedelta) -> None:
    """Make a golden case of a captured request.

    EVENT_ID is what slipway capture show prints; its beginning is enough.

    Example: slipway capture case sentiment 4f1c9a02
    """
    from slipway import settings
    from slipway.capture.export import write_case

    matching = [
        request
        for request in _read(name, where, captures, since)
        if request.event_id.startswith(event_id) and request.role == "answer"
    ]
    if len({request.event_id for request in matching}) != 1:
        count = len({request.event_id for request in matching})
        raise SlipwayError(
            f"{count} captured requests of {name} have ids that begin with {event_id!r}",
            fix="give more of the id" if count else f"slipway capture show {name} lists some",
        )
    root = settings.load(Path.cwd()).root
    folder = write_case(matching[0], root / "models" / name)
    click.echo(f"{folder.relative_to(root)}: read it, since it holds what somebody sent")
    click.echo(f"record the answer: slipway test {name} --update-golden")


@capture.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@endpoint_option
@captures_option
@click.option(
    "--days",
    type=click.IntRange(0),
    help="Forget what is older; by default what capture.toml no longer keeps.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def prune(
    names: tuple[str, ...], where: str, captures: str | None, days: int | None, dry_run: bool
) -> None:
    """Remove captures that were kept long enough.

    Files of other programs stay.

    Example: slipway capture prune sentiment --days 7
    """
    from slipway.capture.summary import forget
    from slipway.units import format_bytes

    location, _ = _location(where, captures)
    count, size = forget(
        location, datetime.now(UTC), days=days, names=names or None, dry_run=dry_run
    )
    would = "would remove" if dry_run else "removed"
    click.echo(f"{would} {count:,} files of {format_bytes(size)} from {location}")


def _location(where: str, captures: str | None) -> tuple[CaptureLocation, str | None]:
    """Return where to read, and the endpoint whose captures are meant; ``None``: any."""
    from slipway import settings
    from slipway.capture.location import capture_location, parse_location

    configured = settings.load(Path.cwd())
    if captures is not None:
        return parse_location(captures, configured.root, foreign=True), None
    entry = configured.endpoint(where)
    return capture_location(configured, where), entry.endpoint_name or entry.name


def _read(
    name: str, where: str, captures: str | None, since: timedelta
) -> Iterator[CapturedRequest]:
    from slipway.capture.read import ReadCounts, read_captured

    location, own = _location(where, captures)
    counts = ReadCounts()
    yield from read_captured(
        location,
        endpoint=own,
        names=[name],
        since=datetime.now(UTC) - since,
        # SageMaker's lines do not name a model: they are of the one that is asked for
        target=f"{name}_0.0.0.tar.gz" if captures is not None else "",
        counts=counts,
    )
    if str(counts):
        click.echo(f"left out lines: {counts} ({'; '.join(counts.examples)})", err=True)


def _require_some(
    name: str, count: int, where: str, captures: str | None, since: timedelta
) -> None:
    if count:
        return
    location, _ = _location(where, captures)
    raise SlipwayError(
        f"nothing of {name} was captured since {datetime.now(UTC) - since:%Y-%m-%d %H:%M} UTC",
        where=str(location),
        fix="name a longer --since; slipway capture list shows what there is",
    )
