"""``slipway loadtest``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from slipway.cli.data_option import CommandWithData
from slipway.cli.endpoint import loadtest_options
from slipway.cli.exit_codes import INTERRUPTED
from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.catalog.catalog import Catalog
    from slipway.loadtest.address import Address
    from slipway.loadtest.report import Traffic
    from slipway.settings import EndpointSettings


class _Place(NamedTuple):
    """The endpoint, the catalog of its stage, and the repository."""

    entry: EndpointSettings
    catalog: Catalog
    root: Path

    @property
    def models(self) -> Path:
        """Return the folder of the model folders."""
        return self.root / "models"


@click.command(cls=CommandWithData)
@loadtest_options.add_arguments
def loadtest(names: tuple[str, ...], **options: Any) -> int:
    """Measure the load that an endpoint can carry.

    Recommends an autoscaling target with --p99. Requests are sent at random times, at a rate that
    does not wait for answers, and are timed from when they were due, as users see them. See
    docs/loadtest.md.

    \b
    Example: slipway loadtest screen_detection --p99 200ms --output load.svg
      slipway loadtest screen_detection --compare 1.0.0 1.1.0 --fail-if-slower 5%
      slipway loadtest --kind mixed --zipf 1.1 --rates 20,50,100
    """
    from slipway.extras import require

    require("loadtest")
    loadtest_options.refuse(names, options)
    place = _place(options["endpoint"])
    if options["compare"]:
        return _compare(names[0], place, options)
    return _measure(names, place, options)


def _place(name: str) -> _Place:
    from slipway import settings
    from slipway.catalog.catalog import Catalog
    from slipway.store.open_reader import open_endpoint

    configured = settings.load(Path.cwd())
    entry = configured.endpoint(name)
    return _Place(entry, Catalog(open_endpoint(configured, entry)), configured.root)


def _address(place: _Place, options: dict[str, Any]) -> Address:
    from slipway.loadtest.address import resolve_address

    resolved = resolve_address(place.entry, place.root, options["url"])
    if place.entry.stage == "production" and not resolved.is_local and not options["yes"]:
        raise SlipwayError(
            f"{place.entry.name} is the production endpoint, and a load test overloads it",
            fix="--endpoint staging; or --yes to overload it all the same",
        )
    return resolved


def _measure(names: tuple[str, ...], place: _Place, options: dict[str, Any]) -> int:
    import numpy as np

    from slipway.loadtest import picture, quantity, run, targets
    from slipway.loadtest.mix import Mix, shuffle
    from slipway.loadtest.report import LoadTestSetup, build_report

    limit = quantity.parse_seconds(options["p99"], "--p99") if options["p99"] else None
    traffic = _traffic(options)
    plan = run.Plan(
        first_loads_only=options["kind"] == "first-load",
        rates=quantity.parse_rates(options["rates"], "--rates") if options["rates"] else (),
        concurrency=_concurrency(options, ()),
        seconds=options["seconds"],
        limit=limit,
        timeout_s=options["timeout"],
    )
    if options["kind"] == "warm":
        releases = [targets.select_release(place.catalog, names[0], options["target"])]
    else:
        selectors = [text.strip() for text in (options["releases"] or "").split(",")]
        releases = targets.select_releases(place.catalog, names, list(filter(None, selectors)))
    requests, inputs = targets.encode_requests(
        place.catalog, releases, place.models, options["data"]
    )
    address = _address(place, options)
    random = np.random.default_rng(options["seed"])
    order = shuffle(list(requests), random)
    mix = Mix({target: requests[target] for target in order}, random, options["zipf"])
    results = run.run_load_test(address, mix, plan, working)
    measured = build_report(
        LoadTestSetup(
            place.entry.name,
            options["kind"],
            dict(zip(mix.targets, map(float, mix.shares), strict=True)),
            inputs,
            options["seed"],
        ),
        address,
        results,
        limit=limit,
        instances=options["instances"],
        safety=options["safety"],
        traffic=traffic,
    )
    if options["as_json"]:
        click.echo(json.dumps(measured.as_json()))
    else:
        from slipway.loadtest import table

        table.print_report(measured, _console())
    if results.interrupted:
        if options["output"]:
            click.echo(f"{options['output']} is not written: interrupted", err=True)
        return INTERRUPTED
    if options["output"] and (results.stages or results.first_loads):
        picture.draw(measured, options["output"])
    return int(all(load.error for load in results.first_loads))


def _compare(name: str, place: _Place, options: dict[str, Any]) -> int:
    import numpy as np

    from slipway.loadtest import alternate, quantity, targets
    from slipway.loadtest.compare import compare

    worst = options["fail_if_slower"]
    share = quantity.parse_share(worst, "--fail-if-slower") if worst else None
    clients = _concurrency(options, (1,))
    if len(clients) != 1:
        raise SlipwayError("--compare takes one --concurrency", fix="--concurrency 4")
    releases = [
        targets.select_release(place.catalog, name, selector) for selector in options["compare"]
    ]
    requests, _ = targets.encode_requests(place.catalog, releases, place.models, options["data"])
    first, second = (requests[release.target] for release in releases)
    if [request.body for request in first] != [request.body for request in second]:
        raise SlipwayError(
            "the two releases do not take the same inputs",
            fix="send inputs that both take with --data",
        )
    address = _address(place, options)
    blocks = alternate.alternate(
        address,
        first,
        second,
        np.random.default_rng(options["seed"]),
        working,
        seconds=options["seconds"] or alternate.SECONDS,
        concurrency=clients[0],
        timeout_s=options["timeout"],
    )
    for kind, count in blocks.errors.items():
        message = blocks.messages.get(kind)
        click.echo(f"{count} × {kind}{f', the first: {message}' if message else ''}", err=True)
    comparison = compare(blocks.first, blocks.second, options["seed"])
    if options["as_json"]:
        from slipway.loadtest.compare import comparison_as_json

        names = [release.target for release in releases]
        click.echo(
            json.dumps(
                {"releases": names, "spoilt": blocks.spoilt} | comparison_as_json(comparison)
            )
        )
    else:
        from slipway.loadtest import table

        both = (releases[0].target, releases[1].target)
        table.print_comparison(comparison, both, blocks.spoilt, address.is_local, _console())
    if blocks.interrupted:
        return INTERRUPTED
    if share is not None and comparison.slower_by(share):
        click.echo(f"{releases[1].target} is slower by more than {worst}", err=True)
        return 1
    return 0


def _traffic(options: dict[str, Any]) -> Traffic | None:
    if not options["traffic"]:
        return None
    from slipway.loadtest import quantity
    from slipway.loadtest.prices import read_price
    from slipway.loadtest.report import Traffic

    return Traffic(
        quantity.parse_rate(options["traffic"], "--traffic"),
        options["instance"],
        read_price(options["prices"], options["instance"]),
    )


def _concurrency(options: dict[str, Any], default: tuple[int, ...]) -> tuple[int, ...]:
    from slipway.loadtest import quantity

    text = options["concurrency"]
    return tuple(quantity.parse_counts(text, "--concurrency")) if text else default


def _console() -> Any:
    from rich.console import Console

    console = Console(highlight=False)
    # rich assumes 80 columns where the output is not a terminal; the tables need more
    return console if console.is_terminal else Console(highlight=False, width=140)
