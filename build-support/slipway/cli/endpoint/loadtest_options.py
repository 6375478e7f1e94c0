"""The arguments of ``slipway loadtest``, and which of them exclude or need each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from slipway.cli.data_option import data_option
from slipway.cli.endpoint.options import url_option
from slipway.cli.models import names_argument
from slipway.cli.options import FILE, json_option, renamed_option, warn_renamed
from slipway.errors import SlipwayError

# an option on the left excludes those on the right
EXCLUSIVE = (
    ({"rates"}, {"concurrency", "compare"}),
    ({"compare"}, {"target", "releases", "output", "p99", "traffic"}),
    ({"concurrency"}, {"p99"}),
    ({"target"}, {"releases"}),
)
# an option on the left needs all of those on the right
NEEDED = {
    "traffic": ("p99", "instance", "prices"),
    "instance": ("traffic",),
    "prices": ("traffic",),
    "fail_if_slower": ("compare",),
}


def _old_output(context: click.Context, option: click.Parameter, value: Path | None) -> Path | None:
    """Read ``--output table|json``, the form of the output before ``--json`` was."""
    if value is None or str(value) not in ("table", "json"):
        return value
    if str(value) == "json":
        warn_renamed("--output json", "--json")
        context.params["as_json"] = True
    else:
        warn_renamed("--output table", "no option")
    return None


ARGUMENTS: tuple[Callable[..., Any], ...] = (
    names_argument,
    click.option(
        "--endpoint", default="local", show_default=True, help="Endpoint name from slipway.toml."
    ),
    url_option,
    click.option(
        "--kind",
        type=click.Choice(["warm", "mixed", "first-load"]),
        default="warm",
        show_default=True,
        help="warm: one loaded release; mixed: many, by Zipf's law; first-load: each once.",
    ),
    click.option(
        "--rates", metavar="R,R,…", help="Requests a second; by default a search finds them."
    ),
    click.option(
        "--concurrency", metavar="N,N,…", help="Clients that wait for answers, instead of rates."
    ),
    click.option(
        "--seconds",
        type=click.FloatRange(1),
        help="Length of a stage; by default 10, or what a p99 needs. With --compare: of all, 60.",
    ),
    click.option("--target", help="Test this target model instead of the alias's."),
    click.option(
        "--releases", metavar="T,T,…", help="Releases for mixed and first-load; by default all."
    ),
    click.option(
        "--zipf",
        type=click.FloatRange(0, 10),
        default=1.0,
        show_default=True,
        help="Exponent of the releases' popularity in mixed traffic; 0: all equal.",
    ),
    data_option("Send this, as slipway invoke does; by default the golden cases' inputs."),
    click.option("--p99", metavar="200ms", help="Recommend an autoscaling target for this limit."),
    click.option(
        "--safety",
        type=click.FloatRange(0, 1, min_open=True),
        default=0.5,
        show_default=True,
        help="Target share of what an instance can carry.",
    ),
    click.option(
        "--instances",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="Instances that the endpoint has during the test.",
    ),
    click.option(
        "--traffic", metavar="120/s", help="Compute how many instances this traffic needs."
    ),
    click.option(
        "--instance", metavar="TYPE", help="Instance type for --traffic, such as ml.g5.xlarge."
    ),
    click.option("--prices", type=FILE, help="TOML file: US dollars an hour by instance type."),
    click.option(
        "--compare", nargs=2, metavar="A B", help="Test whether release B of NAME is slower than A."
    ),
    click.option(
        "--fail-if-slower", metavar="5%", help="Exit with 1 if B is slower by more than this."
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(0, min_open=True),
        default=60.0,
        show_default=True,
        help="Seconds after which a request without an answer has failed.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="The same seed gives the same requests at the same times.",
    ),
    json_option(),
    click.option(
        "--output", type=FILE, callback=_old_output, help="Draw the latencies as an .svg or .png."
    ),
    renamed_option("--picture", "--output", "output", type=FILE),
    click.option("--yes", is_flag=True, help="Overload the production endpoint in AWS."),
)


def add_arguments(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add all arguments and options to the command."""
    for decorate in reversed(ARGUMENTS):
        command = decorate(command)
    return command


def refuse(names: tuple[str, ...], options: dict[str, Any]) -> None:
    """Refuse options that do not fit, before anything is read or sent.

    Raises:
        SlipwayError: two options exclude each other, one needs another, or the names or a value do
            not fit.
    """
    used = {key for key, value in options.items() if value not in (None, (), False)}
    for left, right in EXCLUSIVE:
        if left & used and right & used:
            a, b = _option(min(left & used)), _option(min(right & used))
            raise SlipwayError(f"{a} and {b} exclude each other", fix=f"leave out {a} or {b}")
    for key, others in NEEDED.items():
        missing = [_option(other) for other in others if other not in used]
        if key in used and missing:
            raise SlipwayError(
                f"{_option(key)} needs {' and '.join(missing)}", fix=f"add {' and '.join(missing)}"
            )
    many = options["kind"] != "warm"
    if many and options["compare"]:
        raise SlipwayError(
            f"--kind {options['kind']} does not fit a comparison", fix="leave out --kind"
        )
    if options["kind"] == "first-load" and used & {"rates", "concurrency", "p99"}:
        raise SlipwayError(
            "first loads have no rate",
            fix="--kind mixed, or leave out --rates, --concurrency, --p99",
        )
    if options["releases"] and not many:
        raise SlipwayError(
            "--releases is for tests of several releases", fix="--kind mixed, or --target for one"
        )
    if options["target"] and many:
        raise SlipwayError("--target is for tests of one release", fix="--releases, or --kind warm")
    if not many and len(names) != 1:
        raise SlipwayError(
            f"{len(names)} names, but a warm test takes one",
            fix="slipway loadtest NAME, or --kind mixed for several",
        )
    _refuse_values(options)


def _refuse_values(options: dict[str, Any]) -> None:
    from slipway.figure_file import check_figure_file
    from slipway.loadtest import quantity

    quantities: dict[str, Callable[[str, str], object]] = {
        "p99": quantity.parse_seconds,
        "rates": quantity.parse_rates,
        "concurrency": quantity.parse_counts,
        "traffic": quantity.parse_rate,
        "fail_if_slower": quantity.parse_share,
    }
    for key, parse in quantities.items():
        if options[key]:
            parse(options[key], _option(key))
    if options["output"]:
        check_figure_file(options["output"], "loadtest")


def _option(key: str) -> str:
    return f"--{key.replace('_', '-')}"
