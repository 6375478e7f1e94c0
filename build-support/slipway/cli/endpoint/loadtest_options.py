"""The options of ``slipway loadtest``, and which of them go together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from slipway.cli import data_option
from slipway.errors import SlipwayError

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


OPTIONS = (
    click.option("--endpoint", default="local", show_default=True, help="Of slipway.toml."),
    click.option("--url", help="Of a local endpoint, if it is not recorded here."),
    click.option(
        "--kind",
        type=click.Choice(["warm", "mixed", "first-load"]),
        default="warm",
        show_default=True,
        help="warm: one release that is loaded; mixed: many, by Zipf's law; first-load: each once.",
    ),
    click.option("--rates", metavar="R,R,…", help="Requests a second; by default searched for."),
    click.option("--concurrency", metavar="N,N,…", help="Instead of rates: clients that wait."),
    click.option(
        "--seconds",
        type=click.FloatRange(1),
        help="Of each stage; by default 10, or what a p99 needs. With --compare, of it all (60).",
    ),
    click.option("--target", help="A release of NAME, whatever its alias says."),
    click.option("--releases", metavar="T,T,…", help="For mixed and first-load; by default all."),
    click.option(
        "--zipf",
        type=click.FloatRange(0, 10),
        default=1.0,
        show_default=True,
        help="Exponent of the popularity of releases in mixed traffic; 0: all alike.",
    ),
    click.option(
        "--json",
        "text",
        metavar=data_option.METAVAR,
        callback=data_option.read,
        help="Send this, as slipway invoke takes it; by default the golden cases' inputs.",
    ),
    click.option("--p99", metavar="200ms", help="Recommend an autoscaling target for this limit."),
    click.option(
        "--safety",
        type=click.FloatRange(0, 1, min_open=True),
        default=0.5,
        show_default=True,
        help="Of what an instance carries, the share to hold it at.",
    ),
    click.option(
        "--instances",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="How many the endpoint has while it is tested.",
    ),
    click.option("--traffic", metavar="120/s", help="Say how many instances this needs."),
    click.option("--instance", metavar="TYPE", help="Such as ml.g5.xlarge, with --traffic."),
    click.option("--prices", type=FILE, help="TOML: instance types and US dollars an hour."),
    click.option("--compare", nargs=2, metavar="A B", help="Is release B of NAME slower than A?"),
    click.option("--fail-if-slower", metavar="5%", help="End with 1 if B is slower by more."),
    click.option(
        "--perf-analyzer",
        metavar="URL",
        help="Let Triton's own tool measure a server whose HTTP is on, not the endpoint.",
    ),
    click.option("--perf-analyzer-model", metavar="MODEL", help="By default NAME_pipeline."),
    click.option(
        "--timeout",
        type=click.FloatRange(0, min_open=True),
        default=60.0,
        show_default=True,
        help="Seconds until a request without an answer has failed.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="The same seed, the same requests at the same times.",
    ),
    click.option("--picture", type=FILE, help="Draw into this .svg or .png."),
    click.option(
        "--output", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
    ),
    click.option("--yes", is_flag=True, help="Yes, overrun the production endpoint in AWS."),
)


def taken[F: Callable[..., Any]](command: F) -> F:
    """The command with all options."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def refuse(names: tuple[str, ...], options: dict[str, Any]) -> None:
    """Refuse what cannot be meant, before anything is read or sent.

    Raises:
        SlipwayError: two options exclude each other, one needs another, or the names do not fit.
    """
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
