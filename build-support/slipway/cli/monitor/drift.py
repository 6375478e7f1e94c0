"""``slipway drift``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.endpoint.options import endpoint_option
from slipway.cli.exit_codes import DRIFTED, NOTHING_COMPARED, USER_ERROR, print_error
from slipway.cli.models import names_argument
from slipway.cli.monitor.drift_output import FORMATS, LEVELS, send, write_report
from slipway.cli.monitor.drift_output import notify as notify_people
from slipway.cli.monitor.window import Window
from slipway.cli.options import json_option, outputs_option
from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from datetime import timedelta

    from slipway.drift.verdict import DriftCheck
    from slipway.settings import Settings


@click.command()
@names_argument
@click.option("--all", "all_", is_flag=True, help="Check every model that has an alias.")
@endpoint_option
@click.option(
    "--since",
    type=Window(),
    default="1d",
    show_default=True,
    help="Check what came in since so long ago: 1d, 12h, 90m.",
)
@click.option(
    "--against", type=Window(), help="Compare with the window of this length before it, too."
)
@click.option(
    "--captures",
    metavar="LOCATION",
    help="Read the captures in this folder or s3://bucket/prefix, SageMaker's own included.",
)
@outputs_option(
    FORMATS,
    "Write a report: .html a page, .json everything, .txt or .prom OpenMetrics. May be"
    " repeated.",
)
@click.option(
    "--style",
    type=click.Choice(["slipway", "evidently"]),
    default="slipway",
    show_default=True,
    help="Page to write; Evidently's needs --against and the package evidently.",
)
@click.option(
    "--cloudwatch",
    "level",
    type=click.Choice(LEVELS),
    is_flag=False,
    flag_value="tensor",
    help="Send the metric Slipway/Drift of the endpoint, of each model too, or of each tensor.",
)
@click.option("--notify", is_flag=True, help="Notify people where a drift begins or ends.")
@json_option()
def drift(
    names: tuple[str, ...],
    all_: bool,
    where: str,
    since: timedelta,
    against: timedelta | None,
    captures: str | None,
    outputs: tuple[Path, ...],
    style: str,
    level: str | None,
    notify: bool,
    as_json: bool,
) -> int:
    """Compare what models are asked with their reference profiles.

    Reads what the endpoint captured of the releases that the aliases serve. Exits with 4 if a
    tensor drifted, with 5 if there was nothing to compare (too few rows, or none), else with 0; 1
    is an error.

    Example: slipway drift screen_detection --since 1d --output drift.html
    """
    from slipway import extras, settings
    from slipway.drift.check import NONE, check_drift

    _check_options(names, all_, against, outputs, style)
    extras.require("monitoring")
    configured = settings.load(Path.cwd())
    location = _location(captures, configured)
    with working(f"reading what {where} captured"):
        check = check_drift(
            configured,
            where,
            list(dict.fromkeys(names)),
            since=since,
            against=against or NONE,
            location=location,
        )
    for file in outputs:
        write_report(file, check, style)
    if level is not None:
        send(configured, check, level)
    if notify:
        notify_people(configured, check)
    if as_json:
        click.echo(json.dumps(check.dump(), indent=1, ensure_ascii=False))
    else:
        from slipway.cli.monitor.drift_text import render_text

        click.echo(render_text(check), nl=False)
    return _exit_code(check, names)


def _check_options(
    names: tuple[str, ...],
    all_: bool,
    against: timedelta | None,
    outputs: tuple[Path, ...],
    style: str,
) -> None:
    if bool(names) == all_:
        raise SlipwayError(
            "no model is named" if not names else "--all is for no NAME",
            fix="slipway drift NAME, or slipway drift --all",
        )
    if style == "evidently":
        from slipway.drift.evidently_page import require_evidently

        if against is None or not any(FORMATS[file.suffix] == "html" for file in outputs):
            raise SlipwayError(
                "Evidently compares rows with rows, and a profile holds none",
                fix="add --against 7d --output page.html",
            )
        require_evidently()


def _location(captures: str | None, configured: Settings) -> Any:
    if captures is None:
        return None
    from slipway.capture.location import parse_location

    return parse_location(captures, configured.root, foreign=True)


def _exit_code(check: DriftCheck, names: tuple[str, ...]) -> int:
    """Print the errors about models that were named and cannot be compared; return the code."""
    failed = False
    for release in check.releases if names else ():
        if release.verdict == "no profile":
            failed = True
            print_error(
                SlipwayError(
                    f"{release.name} has no reference profile to compare with",
                    where=release.target,
                    fix=f"slipway profile {release.name} --rows FILE, then publish it; or compare"
                    " with earlier requests: --against 7d",
                )
            )
    if check.verdict == "drift":
        return DRIFTED
    if failed:
        return USER_ERROR
    return 0 if check.verdict == "no drift" else NOTHING_COMPARED
