"""``slipway compare``."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.endpoint.options import endpoint_option, url_option
from slipway.cli.exit_codes import A_BETTER, DIFFERENT, UNDECIDED
from slipway.cli.models import name_argument
from slipway.cli.monitor.compare_replay import replay_and_compare
from slipway.cli.monitor.window import Window
from slipway.cli.options import FILE, json_option
from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.catalog.alias import Alias
    from slipway.catalog.catalog import Catalog

EXIT_CODES = {
    "b better": 0,
    "equivalent": 0,
    "a better": A_BETTER,
    "undecided": UNDECIDED,
    "different": DIFFERENT,
}
FAR_BACK = timedelta(days=7)
LIMIT = 1000
SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command()
@name_argument
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--captured", is_flag=True, help="Compare what was captured; this is the default.")
@endpoint_option
@url_option
@click.option(
    "--since",
    type=Window(),
    help="How far back, such as 1d; by default to the alias's last move if it names both.",
)
@click.option(
    "--captures",
    "location",
    metavar="LOCATION",
    help="Read the captures in this folder or s3://bucket/prefix.",
)
@click.option(
    "--labels",
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE",
    help="Ground truth by event id: SageMaker's JSON lines, or CSV.",
)
@click.option(
    "--replay", is_flag=True, help="Ask B now, on the endpoint, what A was asked when captured."
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=LIMIT,
    show_default=True,
    help="Requests that --replay asks at most.",
)
@click.option(
    "--design",
    type=click.Choice(["paired", "split"]),
    help="Compare answers to equal requests, or two groups; by default what was captured.",
)
@click.option("--answer", metavar="OUTPUT", help="Output to compare; by default the label's.")
@click.option("--cut", type=float, help="Make a number the label 1 from here on, and 0 below.")
@click.option(
    "--margin",
    type=click.FloatRange(min=0, min_open=True),
    default=0.01,
    show_default=True,
    help="Difference that does not matter, as a share.",
)
@click.option(
    "--largest-error",
    type=click.FloatRange(min=0, min_open=True),
    help="With --labels of numbers: compare errors up to this; --margin is in their unit.",
)
@click.option(
    "--risk",
    type=SHARE,
    default=0.05,
    show_default=True,
    help="Of a wrong decision, however often it is looked at.",
)
@click.option(
    "--once-per",
    metavar="PARAMETER",
    help="Count the first request for each value of this parameter, or for each input.",
)
@json_option()
@click.option("--output", type=FILE, metavar="FILE", help="Draw the bounds: .png or .svg.")
def compare(
    name: str,
    first: str,
    second: str,
    captured: bool,
    where: str,
    url: str | None,
    since: timedelta | None,
    location: str | None,
    labels: Path | None,
    replay: bool,
    limit: int,
    design: str | None,
    answer: str | None,
    cut: float | None,
    margin: float,
    largest_error: float | None,
    risk: float,
    once_per: str | None,
    as_json: bool,
    output: Path | None,
) -> int:
    """Compare two releases over captured requests, and decide.

    A and B are releases: a version, a target model, or a part of one. The bounds hold however often
    you look. Without --labels the answers can differ, and neither be called worse.

    Exits with 0 if B is better or equivalent, 4 if A is better, 5 if it is undecided, 6 if the
    answers differ and nothing says which is right; 1 is an error.

    \b
    Example: slipway compare fares 1.0.0 1.1.0
      slipway compare fares 1.0.0 1.1.0 --labels labels.jsonl --output fares.png
      slipway compare fares 1.0.0 1.1.0 --replay --since 7d
    """
    from slipway import extras, settings
    from slipway.capture.location import capture_location, parse_location
    from slipway.capture.read import ReadCounts, read_captured
    from slipway.catalog.catalog import Catalog
    from slipway.comparison import compare as comparison
    from slipway.comparison import picture
    from slipway.comparison.advice import advise
    from slipway.comparison.ground_truth import read_ground_truth
    from slipway.comparison.text import format_comparison
    from slipway.comparison.traffic import Selection
    from slipway.figure_file import check_figure_file
    from slipway.store.open_reader import open_endpoint

    if replay and design:
        raise click.UsageError("--replay or --design, not both")
    if output is not None:
        extras.require("monitoring")
        check_figure_file(output, "comparison")
    truth = None if labels is None else read_ground_truth(labels)
    configured = settings.load(Path.cwd())
    place = (
        capture_location(configured, where)
        if location is None
        else parse_location(location, configured.root)
    )
    catalog = Catalog(open_endpoint(configured, configured.endpoint(where)))
    with working(f"reading the captures of {name}"):
        a, b = _releases(catalog, name, first, second)
        alias = catalog.find_alias(name)
        until = datetime.now(UTC)
        question = comparison.Question(
            name,
            a,
            b,
            where,
            since=until - since if since else _last_move(catalog, name, alias, (a, b), until),
            until=until,
            risk=risk,
            margin=margin,
            design="replay" if replay else design,  # type: ignore[arg-type]
            selection=Selection(answer, cut, once_per, catalog.interface(name, b).batches),
            largest_error=largest_error,
            weights=_weights(alias, a, b),
        )
        counts = ReadCounts()
        requests = read_captured(
            place,
            endpoint=where,
            targets=[a] if replay else [a, b],
            since=question.since,
            until=until,
            counts=counts,
        )
        if replay:
            result = replay_and_compare(configured, question, requests, url, limit, truth)
        else:
            result = comparison.compare(requests, question, truth)
    if str(counts):
        result = dataclasses.replace(result, notes=(*result.notes, f"lines left out: {counts}"))
    if output is not None:
        picture.draw(result, output)
    advice = advise(result, catalog.stage, alias)
    if as_json:
        document = result.dump() | {"stage": catalog.stage, "to_do": advice}
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        click.echo(format_comparison(result, advice))
    return EXIT_CODES[result.decision]


def _releases(catalog: Catalog, name: str, first: str, second: str) -> tuple[str, str]:
    from slipway.errors import SlipwayError

    a, b = catalog.resolve(name, first), catalog.resolve(name, second)
    if a == b:
        raise SlipwayError(
            f"{first} and {second} are the same release", where=a, fix="name two releases"
        )
    return a, b


def _last_move(
    catalog: Catalog, name: str, alias: Alias | None, releases: tuple[str, str], now: datetime
) -> datetime:
    """Return since when the alias names both releases, or a week ago if it does not."""
    from slipway.catalog import journal, keys

    if alias is not None and set(releases) <= set(alias.all_targets):
        events = catalog.source.store.keys(keys.history(catalog.stage, name))
        moved = journal.last_move(catalog.source.store, events, skip_damaged=True)
        if moved is not None:
            return datetime.fromisoformat(moved.when)
    return now - FAR_BACK


def _weights(alias: Alias | None, a: str, b: str) -> tuple[float, float] | None:
    """Return the weights of both releases in a split of these, ``None`` without one."""
    weights = {} if alias is None else {v.target: v.weight for v in alias.variants}
    return (weights[a], weights[b]) if a in weights and b in weights else None
