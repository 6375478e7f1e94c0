"""``slipway smoke``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli.endpoint.options import url_option
from slipway.cli.models import ModelName, for_each
from slipway.cli.options import json_option
from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.pipeline.smoke import CaseResult, SmokeResult, TargetResult


@click.command()
@click.argument("names", nargs=-1, required=True, type=ModelName(), metavar="NAME...")
@click.option(
    "--endpoint",
    "where",
    default="staging",
    show_default=True,
    help="Endpoint name from slipway.toml.",
)
@url_option
@click.option(
    "--target",
    help="Invoke this release: a target model, a release version or a part of its key."
    " In production the alias has to serve it.",
)
@json_option("Print one JSON object a line.")
def smoke(
    names: tuple[str, ...], where: str, url: str | None, target: str | None, as_json: bool
) -> int:
    """Compare an endpoint's answers with the golden cases.

    Waits while a model is being loaded. A model without golden cases gets a blank request. Exits
    with 1 if an answer is wrong or missing.

    Example: slipway smoke screen_detection --endpoint staging
    """
    from slipway import settings
    from slipway.client import Endpoint
    from slipway.errors import SlipwayError
    from slipway.pipeline.smoke import DEADLINE_S, run_smoke_test

    if target is not None and len(names) != 1:
        raise SlipwayError("--target is for one model", fix="slipway smoke NAME --target TARGET")
    configured = settings.load(Path.cwd())
    folders = [configured.root / "models" / name for name in dict.fromkeys(names)]
    with Endpoint(
        where, settings=configured, url=url, deadline_s=DEADLINE_S, is_probe=True
    ) as endpoint:

        def smoke_one(folder: Path) -> bool:
            with working(f"invoking {folder.name} on {where}"):
                result = run_smoke_test(endpoint, where, folder, target=target)
            click.echo(json.dumps(result.as_json()) if as_json else _text(result))
            return result.passed

        return for_each(folders, smoke_one)


def _text(result: SmokeResult) -> str:
    lines = [line for release in result.answered for line in _release(result, release)]
    lines += [f"  {_mark(False)} {problem}" for problem in result.problems]
    lines += [f"  note: {note}" for note in result.notes]
    return "\n".join(lines)


def _release(result: SmokeResult, release: TargetResult) -> list[str]:
    head = f"{click.style(result.name, bold=True)} on {result.endpoint}: {release.target}"
    if release.first_s is not None:
        head += f", first answer after {release.first_s:.2f} s"
    width = max(len(case.case) for case in release.cases)
    return [head, *(line for case in release.cases for line in _case(case, width))]


def _case(case: CaseResult, width: int) -> list[str]:
    latency = "" if case.seconds is None else f"{case.seconds * 1e3:7.1f} ms"
    lines = [f"  {_mark(not case.problems)} {case.case:<{width}} {latency}".rstrip()]
    lines += [f"      {line}" for problem in case.problems for line in problem.splitlines()]
    return lines + ([f"      {case.note}"] if case.note else [])


def _mark(passed: bool) -> str:
    return click.style("✓", fg="green") if passed else click.style("✗", fg="red")
