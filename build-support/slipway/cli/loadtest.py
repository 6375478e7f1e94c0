"""``slipway loadtest``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from slipway import settings
from slipway.cli import INTERRUPTED
from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.loadtest.address import Address
    from slipway.loadtest.report import Traffic
    from slipway.release.catalog import Catalog
    from slipway.settings import Endpoint

# of the options on the left, none goes with one on the right
APART = (
    ({"rates"}, {"concurrency", "compare", "perf_analyzer"}),
    ({"compare"}, {"target", "releases", "picture", "p99", "traffic", "perf_analyzer"}),
    ({"perf_analyzer"}, {"picture", "p99", "traffic", "url"}),
    ({"concurrency"}, {"p99"}),
    ({"target"}, {"releases"}),
)
# the option on the left needs all of those on the right
TOGETHER = {
    "traffic": ("p99", "instance", "prices"),
    "instance": ("traffic",),
    "prices": ("traffic",),
    "fail_if_slower": ("compare",),
    "perf_analyzer_model": ("perf_analyzer",),
}
FILE = click.Path(dir_okay=False, path_type=Path)


class _Place(NamedTuple):
    """The endpoint, the releases of its stage, the repository."""

    entry: Endpoint
    catalog: Catalog
    root: Path

    @property
    def models(self) -> Path:
        """The folder of the model folders."""
        return self.root / "models"


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--endpoint", default="local", show_default=True, help="Of slipway.toml.")
@click.option("--url", help="Of a local endpoint, if it is not recorded here.")
@click.option(
    "--kind",
    type=click.Choice(["warm", "mixed", "first-load"]),
    default="warm",
    show_default=True,
    help="warm: one release that is loaded; mixed: many, by Zipf's law; first-load: each once.",
)
@click.option("--rates", metavar="R,R,…", help="Requests a second; by default searched for.")
@click.option("--concurrency", metavar="N,N,…", help="Instead of rates: clients that wait.")
@click.option(
    "--seconds",
    type=click.FloatRange(1, min_open=False),
    help="Of each stage; by default 10, or what a p99 needs. With --compare, of it all (60).",
)
@click.option("--target", help="A release of NAME, whatever its alias says.")
@click.option("--releases", metavar="T,T,…", help="For mixed and first-load; by default all.")
@click.option(
    "--zipf",
    type=click.FloatRange(0, 10),
    default=1.0,
    show_default=True,
    help="Exponent of the popularity of releases in mixed traffic; 0: all alike.",
)
@click.option(
    "--json",
    "text",
    metavar="JSON",
    help="Send this, as slipway invoke takes it; by default the golden cases' inputs.",
)
@click.option("--p99", metavar="200ms", help="Recommend an autoscaling target for this limit.")
@click.option(
    "--safety",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.5,
    show_default=True,
    help="Of what an instance carries, the share to hold it at.",
)
@click.option(
    "--instances",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="How many the endpoint has while it is tested.",
)
@click.option("--traffic", metavar="120/s", help="Say how many instances this needs.")
@click.option("--instance", metavar="TYPE", help="Such as ml.g5.xlarge, with --traffic.")
@click.option("--prices", type=FILE, help="TOML: instance types and US dollars an hour.")
@click.option("--compare", nargs=2, metavar="A B", help="Is release B of NAME slower than A?")
@click.option("--fail-if-slower", metavar="5%", help="End with 1 if B is slower by more.")
@click.option(
    "--perf-analyzer",
    metavar="URL",
    help="Let Triton's own tool measure a server whose HTTP is on, not the endpoint.",
)
@click.option("--perf-analyzer-model", metavar="MODEL", help="By default NAME_pipeline.")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), default=60.0, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--picture", type=FILE, help="Draw into this .svg or .png.")
@click.option(
    "--output", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)
@click.option("--yes", is_flag=True, help="Yes, overrun the production endpoint in AWS.")
def loadtest(names: tuple[str, ...], **options: Any) -> int:
    """Measure what an endpoint carries of the model NAME, and what follows for its scaling.

    Latencies are those of users: requests come at random, at a rate that does not wait for
    answers, and are timed from when they were due. See docs/loadtest.md.

    \b
    Example: slipway loadtest screen_detection --p99 200ms --picture load.svg
      slipway loadtest screen_detection --compare 1.0.0 1.1.0 --fail-if-slower 5%
      slipway loadtest --kind mixed --zipf 1.1 --rates 20,50,100
    """
    _refuse(names, options)
    place = _place(options["endpoint"])
    if options["perf_analyzer"]:
        return _perf_analyzer(names[0], place, options)
    if options["compare"]:
        return _compare(names[0], place, options)
    return _measure(names, place, options)


def _refuse(names: tuple[str, ...], options: dict[str, Any]) -> None:
    """Refuse what cannot be meant, before anything is read or sent."""
    given = {key for key, value in options.items() if value not in (None, (), False)}
    for left, right in APART:
        if left & given and right & given:
            a, b = (_option(min(each & given)) for each in (left, right))
            raise SlipwayError(f"{a} and {b} do not go together", fix=f"leave out {a} or {b}")
    for key, others in TOGETHER.items():
        missing = [_option(other) for other in others if other not in given]
        if key in given and missing:
            raise SlipwayError(
                f"{_option(key)} needs {' and '.join(missing)}", fix=f"add {' and '.join(missing)}"
            )
    many = options["kind"] != "warm"
    alone = options["compare"] or options["perf_analyzer"]
    if many and alone:
        raise SlipwayError(f"--kind {options['kind']} is of a plain test", fix="leave --kind out")
    if options["kind"] == "first-load" and given & {"rates", "concurrency", "p99"}:
        raise SlipwayError(
            "first loads have no rate",
            fix="--kind mixed, or leave out --rates, --concurrency, --p99",
        )
    if options["releases"] and not many:
        raise SlipwayError("--releases is for several", fix="--kind mixed, or --target for one")
    if options["target"] and many:
        raise SlipwayError("--target is for one release", fix="--releases, or --kind warm")
    if not many and len(names) != 1:
        raise SlipwayError(
            f"{len(names)} names, and one release is tested",
            fix="slipway loadtest NAME, or --kind mixed for several",
        )


def _option(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def _place(name: str) -> _Place:
    from slipway.release.catalog import Catalog
    from slipway.release.store import open_reader

    configured = settings.load(Path.cwd())
    entry = configured.endpoint(name)
    reader = open_reader(entry.store or configured.store, configured.root, profile=entry.profile)
    return _Place(entry, Catalog(reader, entry.stage), configured.root)


def _address(place: _Place, options: dict[str, Any]) -> Address:
    from slipway.loadtest import address

    found = address.of(place.entry, place.root, options["url"])
    if place.entry.stage == "production" and not found.here and not options["yes"]:
        raise SlipwayError(
            f"{place.entry.name} is the production endpoint, and a load test overruns it",
            fix="--endpoint staging; or --yes, if you mean it",
        )
    return found


def _measure(names: tuple[str, ...], place: _Place, options: dict[str, Any]) -> int:
    import numpy as np

    from slipway.loadtest import picture, quantity, report, run, targets
    from slipway.loadtest.mix import Mix, shuffled

    limit = quantity.seconds(options["p99"], "--p99") if options["p99"] else None
    traffic = _traffic(options)
    if options["picture"]:
        picture.check(options["picture"])
    plan = run.Plan(
        first_loads_only=options["kind"] == "first-load",
        rates=quantity.rates(options["rates"], "--rates") if options["rates"] else (),
        concurrency=_concurrency(options, ()),
        seconds=options["seconds"],
        limit=limit,
        timeout_s=options["timeout"],
    )
    if options["kind"] == "warm":
        found = [targets.one(place.catalog, names[0], options["target"])]
    else:
        words = [word.strip() for word in (options["releases"] or "").split(",") if word.strip()]
        found = targets.many(place.catalog, names, words)
    requests, said = targets.requests(place.catalog, found, place.models, options["text"])
    address = _address(place, options)
    random = np.random.default_rng(options["seed"])
    order = shuffled(list(requests), random)
    mix = Mix({target: requests[target] for target in order}, random, options["zipf"])
    results = run.run(address, mix, plan, working)
    made = report.make(
        report.Subject(
            place.entry.name,
            options["kind"],
            dict(zip(mix.targets, map(float, mix.shares))),
            said,
            options["seed"],
        ),
        address,
        results,
        limit=limit,
        instances=options["instances"],
        safety=options["safety"],
        traffic=traffic,
    )
    if options["form"] == "json":
        click.echo(json.dumps(made.as_json()))
    else:
        from slipway.loadtest import table

        table.show(made, _console())
    if options["picture"] and (results.stages or results.first_loads):
        picture.draw(made, options["picture"])
    if results.interrupted:
        return INTERRUPTED
    return int(all(found.error for found in results.first_loads))


def _compare(name: str, place: _Place, options: dict[str, Any]) -> int:
    import numpy as np

    from slipway.loadtest import alternate, quantity, targets
    from slipway.loadtest.compare import compare

    worst = options["fail_if_slower"]
    share = quantity.share(worst, "--fail-if-slower") if worst else None
    clients = _concurrency(options, (1,))
    if len(clients) != 1:
        raise SlipwayError("--compare takes one --concurrency", fix="--concurrency 4")
    found = [targets.one(place.catalog, name, word) for word in options["compare"]]
    requests, _ = targets.requests(place.catalog, found, place.models, options["text"])
    first, second = (requests[each.target] for each in found)
    if [each.body for each in first] != [each.body for each in second]:
        raise SlipwayError(
            "the two releases do not take the same inputs",
            fix="give some that both take with --json",
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
        said = blocks.messages.get(kind)
        click.echo(f"{count} × {kind}{f', the first: {said}' if said else ''}", err=True)
    compared = compare(blocks.first, blocks.second, options["seed"])
    if options["form"] == "json":
        from slipway.loadtest.compare import as_json

        names = [each.target for each in found]
        click.echo(json.dumps({"releases": names, "spoilt": blocks.spoilt} | as_json(compared)))
    else:
        from slipway.loadtest import table

        both = (found[0].target, found[1].target)
        table.show_comparison(compared, both, blocks.spoilt, address.here, _console())
    return int(share is not None and compared.slower_by(share))


def _perf_analyzer(name: str, place: _Place, options: dict[str, Any]) -> int:
    from dataclasses import asdict

    from slipway.client import arguments
    from slipway.loadtest import inputs, perf_analyzer, search, targets

    program = perf_analyzer.find()
    found = targets.one(place.catalog, name, options["target"])
    interface = place.catalog.interface(*found)
    text = options["text"]
    given = None if text is None else arguments.of_json(interface, text, name)
    arrays, _ = inputs.arrays_of(name, interface, place.models / name, given)
    clients = _concurrency(options, (1, 2, 4, 8, 16))
    with working(f"{perf_analyzer.PROGRAM} with {', '.join(map(str, clients))} clients"):
        measured = perf_analyzer.measure(
            program,
            options["perf_analyzer"],
            options["perf_analyzer_model"] or f"{name}_pipeline",
            interface,
            arrays,
            clients,
            options["seconds"] or search.SECONDS,
        )
    if options["form"] == "json":
        click.echo(json.dumps([asdict(each) for each in measured]))
    else:
        from slipway.loadtest import table

        table.show_measured(measured, _console())
    return 0


def _traffic(options: dict[str, Any]) -> Traffic | None:
    if not options["traffic"]:
        return None
    from slipway.loadtest import prices, quantity
    from slipway.loadtest.report import Traffic

    return Traffic(
        quantity.per_second(options["traffic"], "--traffic"),
        options["instance"],
        prices.read(options["prices"], options["instance"]),
    )


def _concurrency(options: dict[str, Any], default: tuple[int, ...]) -> tuple[int, ...]:
    from slipway.loadtest import quantity

    text = options["concurrency"]
    return tuple(quantity.counts(text, "--concurrency")) if text else default


def _console() -> Any:
    from rich.console import Console

    console = Console(highlight=False)
    # the tables need more than the 80 columns that a pipe is taken for
    return console if console.is_terminal else Console(highlight=False, width=140)
