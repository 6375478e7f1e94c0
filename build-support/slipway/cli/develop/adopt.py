"""``slipway adopt``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.options import json_option
from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.adopt.adopt import Adopted
    from slipway.adopt.plan import Plan, PlannedFolder


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", help="Call the folder so; with several, each name begins with it.")
@click.option("--version", default="0.1.0", show_default=True, help="The release version.")
@click.option(
    "--set",
    "values",
    multiple=True,
    metavar="NAME=VALUE",
    help="Fill the template NAME in configs, such as ${NAME}.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan, and write nothing.")
@click.option("--no-record", is_flag=True, help="Ask no server for golden cases.")
@click.option("--yes", is_flag=True, help="Write without asking for confirmation.")
@json_option("Print the plan, and the steps that are left, as one JSON object.")
def adopt(
    path: Path,
    name: str | None,
    version: str,
    values: tuple[str, ...],
    dry_run: bool,
    no_record: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Bring an existing Triton repository into models/.

    Shows a plan first, and asks on a terminal. Copies, renames, tracks weights, locks packages,
    fixes what is mechanical, and asks a real server for golden cases. What is left to do by hand is
    a numbered list. PATH is not changed.

    Example: slipway adopt ../ocr/model_repository --name ocr
    """
    from slipway import settings
    from slipway.adopt.adopt import Adoption
    from slipway.adopt.adopt import adopt as adopt_plan
    from slipway.adopt.plan import plan_adoption

    configured = settings.load(Path.cwd())
    with working(f"reading {path}"):
        plan = plan_adoption(
            path, name, configured, version=version, values=dict(map(_pair, values))
        )
    if not as_json:
        _show_plan(plan)
    results: list[Adopted] = []
    if not dry_run:
        _confirm(plan, yes=yes or as_json)
        options = Adoption(configured, working, record=not no_record)
        results = adopt_plan(plan, options)
    if as_json:
        click.echo(json.dumps(_dump(plan, results), ensure_ascii=False, indent=2))
    elif not dry_run:
        _show_results(results)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise SlipwayError(f"--set {text}: no NAME=VALUE", fix="--set max_batch_size=8")
    return name, value


def _confirm(plan: Plan, *, yes: bool) -> None:
    if yes or not _is_terminal():
        return
    names = ", ".join(f"models/{folder.name}" for folder in plan.folders)
    click.confirm(f"Write {names}?", default=True, abort=True)


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _show_plan(plan: Plan) -> None:
    models = sum(len(folder.models) for folder in plan.folders)
    click.echo(f"{plan.path}: {models} Triton model{'s' * (models != 1)}")
    for folder in plan.folders:
        _show_folder(folder)
    if plan.others:
        click.echo("\nleft where it is, since it belongs to no model:")
        for path in plan.others:
            click.echo(f"  {path.relative_to(plan.path)}")
    click.echo()


def _show_folder(folder: PlannedFolder) -> None:
    from slipway.units import format_bytes

    click.echo(f"\nmodels/{folder.name}/")
    width = max(len(model.source.name) for model in folder.models)
    for number, model in enumerate(folder.models):
        backend = "ensemble" if model.source.is_ensemble else model.source.backend or "no backend"
        served = ", served" if number == 0 and folder.wrapper is None else ""
        renamed = model.name if model.name != model.source.name else "(its name)"
        click.echo(f"  {model.source.name:{width}} → {renamed}  {backend}{served}")
    if folder.wrapper is not None:
        click.echo(f"  {'':{width}}   {folder.wrapper}  ensemble, served; written")
    for use, text in (
        ("tracked", "tracked by DVC"),
        ("pointer", "DVC pointer, kept"),
        ("left out", "left out"),
        ("missing", "missing"),
    ):
        for model in folder.models:
            for file in model.of_use(use):  # type: ignore[arg-type]  # one of Use
                place = file.path.relative_to(model.source.directory)
                size = f" ({format_bytes(file.size)})" if file.size else ""
                reason = f": {file.reason}" if file.reason else ""
                click.echo(f"  {text}: {model.source.name}/{place}{size}{reason}")
    written = ["model_version.txt", "BUILD", "tests/"]
    if folder.python_models:
        written[1:1] = ["requirements.txt", "requirements.lock"]
    click.echo(f"  written: {', '.join(written)}")


def _show_results(results: list[Adopted]) -> None:
    steps = [step for result in results for step in result.steps]
    for result in results:
        left = len(result.steps)
        state = f"{left} step{'s' * (left != 1)} left" if left else "nothing is left to do"
        more = f"; {result.warnings} warning{'s' * (result.warnings != 1)}" * bool(result.warnings)
        click.echo(f"models/{result.name} written: {state}{more}")
    if steps:
        click.echo("\nBy hand:")
    for number, step in enumerate(steps, start=1):
        click.echo(f"{number:3}. {step.where}: {step.what}")
        click.echo(f"     fix: {step.fix}")
        if step.page is not None:
            click.echo(f"     {step.rule}: {step.page}")
    names = " ".join(result.name for result in results)
    click.echo("\nNext:")
    for command, why in (
        (f"slipway check {names}", "find mistakes"),
        (f"slipway test {names}", "run tests and golden cases on a real Triton"),
        (
            f"git add {' '.join(f'models/{r.name}' for r in results)}",
            "git keeps all but the weights",
        ),
        (f"slipway weights push {names}", "DVC's remote keeps the weights"),
        (f"slipway publish {names}", "publish to staging"),
    ):
        click.echo(f"  {command}  # {why}")


def _dump(plan: Plan, results: list[Adopted]) -> dict[str, Any]:
    return {
        "path": str(plan.path),
        "folders": [
            {
                "name": folder.name,
                "models": [
                    {
                        "source": str(model.source.directory.relative_to(plan.path)),
                        "name": model.name,
                        "files": [
                            {
                                "path": str(file.path.relative_to(plan.path)),
                                "target": str(file.target),
                                "use": file.use,
                                "reason": file.reason,
                                "size": file.size,
                            }
                            for file in model.files
                        ],
                    }
                    for model in folder.models
                ],
                "ensemble": folder.wrapper,
            }
            for folder in plan.folders
        ],
        "others": [str(path.relative_to(plan.path)) for path in plan.others],
        "steps": [step.dump() for result in results for step in result.steps],
    }
