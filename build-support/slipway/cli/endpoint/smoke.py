"""``slipway smoke``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway import settings
from slipway.cli import models as named
from slipway.cli.progress import working

if TYPE_CHECKING:
    from slipway.pipeline.smoke import CaseResult, SmokeResult, TargetResult


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--endpoint", "where", default="staging", show_default=True, help="Of slipway.toml.")
@click.option("--url", help="Of a local endpoint, if it is not recorded here.")
@click.option(
    "--target",
    help="Ask this release, by its target model, version or a part of the key; production's alias"
    " has to stand for it.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def smoke(
    names: tuple[str, ...], where: str, url: str | None, target: str | None, as_json: bool
) -> int:
    """Ask the models NAME on an endpoint what their golden cases ask, and compare the answers.

    It waits while a model is being loaded. A model without golden cases gets a blank request.
    Exits with 1 if an answer is wrong or missing.

    Example: slipway smoke screen_detection --endpoint staging
    """
    from slipway.client import Endpoint  # boto3 and numpy: not at every start
    from slipway.errors import SlipwayError
    from slipway.pipeline.smoke import DEADLINE_S, run_smoke_test

    if target is not None and len(names) != 1:
        raise SlipwayError("--target is for one model", fix="slipway smoke NAME --target TARGET")
    configured = settings.load(Path.cwd())
    folders = [configured.root / "models" / Path(name).name for name in dict.fromkeys(names)]
    with Endpoint(where, settings=configured, url=url, deadline_s=DEADLINE_S) as endpoint:

        def one(folder: Path) -> bool:
            with working(f"asking {folder.name} on {where}"):
                result = run_smoke_test(endpoint, where, folder, target=target)
            click.echo(json.dumps(result.as_json()) if as_json else _text(result))
            return result.passed

        return named.each(folders, one)


def _text(result: SmokeResult) -> str:
    lines = [line for target in result.answered for line in _target(result, target)]
    lines += [f"  {_mark(False)} {problem}" for problem in result.problems]
    lines += [f"  note: {note}" for note in result.notes]
    return "\n".join(lines)


def _target(result: SmokeResult, target: TargetResult) -> list[str]:
    header = f"{click.style(result.name, bold=True)} on {result.endpoint}: {target.target}"
    if target.first_s is not None:
        header += f", first answer after {target.first_s:.2f} s"
    width = max(len(case.case) for case in target.cases)
    return [header, *(line for case in target.cases for line in _case(case, width))]


def _case(case: CaseResult, width: int) -> list[str]:
    duration = "" if case.seconds is None else f"{case.seconds * 1e3:7.1f} ms"
    lines = [f"  {_mark(not case.problems)} {case.case:<{width}} {duration}".rstrip()]
    lines += [f"      {line}" for problem in case.problems for line in problem.splitlines()]
    return lines + ([f"      {case.note}"] if case.note else [])


def _mark(passed: bool) -> str:
    return click.style("✓", fg="green") if passed else click.style("✗", fg="red")
