"""The options of ``slipway simulate``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.monitor.window import Window
from slipway.cli.options import FILE, Size, json_option
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.simulate.distribution import Distribution
    from slipway.simulate.fleet import Scaling

TYPES = ("ml.m5.xlarge", "ml.m5.2xlarge", "ml.r5.xlarge", "ml.r5.2xlarge", "ml.c5.2xlarge")
SECONDS = ("load", "unload", "download", "serve")
BYTES = ("memory", "disk")

OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option("--models", type=click.IntRange(1, 100_000), help="How many models there are."),
    click.option("--traffic", metavar="50/s", help="Requests a second, to all models together."),
    click.option(
        "--zipf",
        type=click.FloatRange(0, 10),
        default=1.0,
        show_default=True,
        help="Exponent of the models' popularity; 0: all equal.",
    ),
    click.option(
        "--captured", is_flag=True, help="Instead: requests that --endpoint has captured."
    ),
    click.option(
        "--captures",
        metavar="LOCATION",
        help="Instead: captured requests of this folder or s3://bucket/prefix.",
    ),
    click.option(
        "--since",
        type=Window(),
        default="1d",
        show_default=True,
        help="Captured requests of the last 1d, 12h.",
    ),
    click.option(
        "--endpoint",
        "where",
        default="local",
        show_default=True,
        help="Endpoint name, for --captured and --measured.",
    ),
    click.option(
        "--measured",
        "--calibrate",
        "measured",
        metavar="SOURCE",
        help="Take times and sizes from a local endpoint's state, by address or file, or from"
        " slipway loadtest --json.",
    ),
    click.option("--memory", metavar="SIZE", help="Memory of a model: 300MB, or 300MB,1GB."),
    click.option("--disk", metavar="SIZE", help="A model on the disk, extracted: 600MB."),
    click.option("--load", metavar="TIME", help="Load of a model: 3s, or p50 and p99: 3s,9s."),
    click.option("--unload", metavar="TIME", help="Unload of a model: 700ms."),
    click.option("--download", metavar="TIME", help="Download and extraction: 5s."),
    click.option("--serve", metavar="TIME", help="A request on one core: 20ms, or 20ms,80ms."),
    click.option(
        "--concurrency",
        type=click.IntRange(1, 64),
        default=1,
        show_default=True,
        help="Requests that a loaded model serves at a time (count of its instance_group).",
    ),
    click.option(
        "--loads-at-once",
        type=click.IntRange(1, 64),
        default=1,
        show_default=True,
        help="Loads at a time on an instance.",
    ),
    click.option(
        "--instance",
        "types",
        multiple=True,
        default=TYPES,
        metavar="TYPE",
        help="Instance type to try, such as ml.m5.xlarge; may be repeated.",
    ),
    click.option("--instances", metavar="N,N,…", help="These numbers; by default a search."),
    click.option("--prices", type=FILE, help="TOML file: US dollars an hour by instance type."),
    click.option("--p99", default="1s", show_default=True, help="Goal: p99 of all answers."),
    click.option(
        "--hit-rate", default="0%", show_default=True, help="Goal: requests with a loaded model."
    ),
    click.option(
        "--scaling",
        metavar="TARGET,MIN,MAX",
        help="Autoscaling: invocations a minute and instance, least and most instances.",
    ),
    click.option(
        "--cooldowns",
        metavar="OUT,IN",
        default="360s,1080s",
        show_default=True,
        help="Of --scaling, after adding and after removing.",
    ),
    click.option(
        "--copy-after",
        metavar="TIME",
        default="1s",
        show_default=True,
        help="Load a second copy where a request would wait longer; or never.",
    ),
    click.option(
        "--reserved",
        type=Size(),
        default="1.5GiB",
        show_default=True,
        help="Memory of an instance that models do not get.",
    ),
    click.option(
        "--volume",
        type=Size(),
        default="60GB",
        show_default=True,
        help="Disk of an instance without one of its own (VolumeSizeInGB).",
    ),
    click.option(
        "--requests",
        type=click.IntRange(1000, 100_000_000),
        default=200_000,
        show_default=True,
        help="Requests to simulate.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="The same seed gives the same result.",
    ),
    json_option(),
    click.option("--output", type=FILE, help="Draw hit rate, p99 and cost as an .svg or .png."),
)


def add_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add all options to the command."""
    for decorate in reversed(OPTIONS):
        command = decorate(command)
    return command


def refuse(options: dict[str, Any]) -> None:
    """Refuse options that do not fit, before anything is read.

    Raises:
        SlipwayError: the traffic is missing or given twice, or a value is not understood.
    """
    is_captured = options["captured"] or options["captures"]
    if options["captured"] and options["captures"]:
        raise SlipwayError(
            "--captured and --captures exclude each other",
            fix="--captured for those of --endpoint, --captures for another place",
        )
    if is_captured and options["models"]:
        raise SlipwayError(
            "--models is for drawn traffic, and captured requests name theirs",
            fix="leave out --models",
        )
    if not is_captured and not (options["models"] and options["traffic"]):
        raise SlipwayError(
            "no traffic is given",
            fix="slipway simulate --models 1000 --traffic 50/s, or --captured",
        )
    scaling(options)
    figures(options)
    counts(options)
    if options["output"]:
        from slipway.extras import require
        from slipway.figure_file import check_figure_file

        require("loadtest")
        check_figure_file(options["output"], "fleet")


def figures(options: dict[str, Any]) -> dict[str, Distribution]:
    """Return the times and sizes that are given, in seconds and bytes.

    Raises:
        SlipwayError: one is not understood.
    """
    from slipway.loadtest.quantity import parse_seconds
    from slipway.simulate.distribution import parse

    found = {}
    for name in (*SECONDS, *BYTES):
        text, option = options[name], f"--{name}"
        if text is None:
            continue

        def parse_one(part: str, option: str = option, is_time: bool = name in SECONDS) -> float:
            return parse_seconds(part, option) if is_time else _bytes(part, option)

        found[name] = parse(text, option, parse_one)
    return found


def _bytes(text: str, option: str) -> float:
    from slipway.settings import size

    try:
        return float(size(text.strip()))
    except ValueError as error:
        raise SlipwayError(f"{option}: {error}", fix=f"{option} 300MB or 1.5GiB") from error


def counts(options: dict[str, Any]) -> list[int]:
    """Return the numbers of instances that are given; with autoscaling, the least one."""
    from slipway.loadtest.quantity import parse_counts

    if options["instances"]:
        return parse_counts(options["instances"], "--instances")
    configured = scaling(options)
    return [configured.least] if configured else []


def scaling(options: dict[str, Any]) -> Scaling | None:
    """Return the autoscaling that is given.

    Raises:
        SlipwayError: it is not understood.
    """
    if not options["scaling"]:
        return None
    from slipway.loadtest.quantity import parse_seconds
    from slipway.simulate.fleet import Scaling

    example = "--scaling 3000,2,10 --cooldowns 360s,1080s"
    try:
        first, *numbers = options["scaling"].split(",")
        target, (least, most) = float(first), map(int, numbers)
        out_s, in_s = (
            parse_seconds(part, "--cooldowns") for part in options["cooldowns"].split(",")
        )
    except ValueError as error:
        raise SlipwayError("--scaling or --cooldowns is not understood", fix=example) from error
    if not (0 < target < math.inf and 1 <= least <= most):
        raise SlipwayError(f"--scaling {options['scaling']} is not possible", fix=example)
    return Scaling(target, least, most, out_s, in_s)
