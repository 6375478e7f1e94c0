"""``slipway infra``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.infra.changes import Change
    from slipway.infra.environment import Environment
    from slipway.infra.events import Event
    from slipway.infra.plan import Plan
    from slipway.settings import Settings

STYLES = {
    "add": "green",
    "modify": "yellow",
    "replace": "bold red",
    "may replace": "bold red",
    "remove": "bold red",
    "leave": "yellow",
}


@click.group()
def infra() -> None:
    """The buckets, endpoints and roles in AWS, as ci/infra/ describes them.

    ENV is a file there without its .toml: account (once), staging, production.
    See docs/infrastructure.md.

    Example: slipway infra plan staging
    """


@infra.command()
@click.argument("name", metavar="ENV")
@click.option(
    "--from-loadtest",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Plan with what follows from a load test's JSON, and say which lines keep it.",
)
@click.option("--import-existing", is_flag=True, help="Take in what exists under these names.")
@click.option("--json", "as_json", is_flag=True, help="The changes as one JSON object.")
def plan(name: str, from_loadtest: Path | None, import_existing: bool, as_json: bool) -> None:
    """Show what deploying ENV would change. Changes nothing.

    \b
    Example: slipway infra plan production
      slipway infra plan staging --from-loadtest loadtest.json
    """
    from slipway.infra import aws, plan, scaling

    _, environment = _read(name)
    measured = scaling.parameters(from_loadtest) if from_loadtest else {}
    environment = environment.with_parameters(measured) if measured else environment
    client = aws.client_of(environment)
    with working(f"asking CloudFormation what would change in {environment.stack}"):
        with plan.proposed(client, environment, adopt=import_existing) as made:
            pass
    if as_json:
        click.echo(json.dumps(_dump(made) | ({"measured": measured} if measured else {})))
        return
    _show(made)
    if measured:
        click.echo(f"From {from_loadtest}; keep it in {environment.path}, below [parameters]:")
        for line in scaling.as_toml(measured):
            click.echo(f"  {line}")


@infra.command()
@click.argument("name", metavar="ENV")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--import-existing", is_flag=True, help="Take in what exists under these names.")
@click.option("--uncommitted", is_flag=True, help="Production, from files that git does not have.")
def deploy(name: str, yes: bool, import_existing: bool, uncommitted: bool) -> None:
    """Show what would change, ask, do it, and tell how it goes.

    Example: slipway infra deploy staging
    """
    from slipway.catalog.origin import origin
    from slipway.infra import aws, deploy, plan
    from slipway.infra import state as states

    configured, environment = _read(name)
    if not uncommitted:
        deploy.refuse_uncommitted(configured, environment)
    client = aws.client_of(environment)
    if states.read(client, environment.stack).failed_at_birth:
        click.echo(f"The first creation of {environment.stack} failed, and has to be deleted.")
        _ask(yes, "Delete what is left of it?")
        deploy.remove_failed(client, environment.stack, _event)
    by = origin(configured.root)
    said = f"{by.commit or 'no commit'} by {by.by or 'nobody known'}"
    with plan.proposed(client, environment, description=said, adopt=import_existing) as made:
        _show(made)
        if not made.changes:
            return
        _ask(yes, f"{'Create' if made.creates else 'Change'} {environment.stack}?")
        try:
            left = deploy.execute(client, made, _event)
        except KeyboardInterrupt:
            click.echo(
                "\nAWS goes on with it: aws cloudformation describe-stack-events"
                f" --stack-name {environment.stack}",
                err=True,
            )
            raise
    click.echo(f"{environment.stack}: {left.status}, protected from deletion")


@infra.command()
@click.argument("name", metavar="ENV")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.option("--env", "as_env", is_flag=True, help="As lines of a shell, for the pipeline.")
def outputs(name: str, as_json: bool, as_env: bool) -> None:
    """Show what ENV's bucket, endpoint and roles are called.

    \b
    Example: slipway infra outputs staging
      eval "$(slipway infra outputs staging --env)"
    """
    from slipway.infra import aws, outputs

    if as_json and as_env:
        raise click.UsageError("--json or --env, not both")
    _, environment = _read(name)
    with working(f"reading {environment.stack}"):
        found = outputs.read(aws.client_of(environment), environment)
    if as_json:
        click.echo(json.dumps(found.outputs))
        return
    if as_env:
        for line in outputs.as_variables(environment, found.outputs):
            click.echo(line)
        return
    rows = [[key, value, found.descriptions[key]] for key, value in found.outputs.items()]
    _table(["output", "value", ""], rows)


def _read(name: str) -> tuple[Settings, Environment]:
    from slipway import settings
    from slipway.infra import environment

    configured = settings.load(Path.cwd())
    return configured, environment.read(configured, name)


def _ask(yes: bool, question: str) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise SlipwayError("nobody is here to be asked", fix="add --yes, once the plan was read")
    click.confirm(question, abort=True)


def _dump(made: Plan) -> dict[str, Any]:
    return {
        "environment": made.environment.name,
        "stack": made.environment.stack,
        "creates": made.creates,
        "changes": [asdict(change) for change in made.changes],
    }


def _show(made: Plan) -> None:
    if not made.changes:
        click.echo(f"{made.environment.stack}: nothing to change")
        return
    rows = [
        [f"[{STYLES.get(change.action, 'cyan')}]{change.action}[/]", change.resource, change.kind]
        + ["\n".join(_property(change))]
        for change in made.changes
    ]
    _table(["", "resource", "type", "what"], rows)
    harsh = sum(change.is_harsh for change in made.changes)
    new = "a new stack; " if made.creates else ""
    click.echo(
        f"{made.environment.stack}: {new}{len(rows)} to change, {harsh} that replace or remove"
    )


def _property(change: Change) -> list[str]:
    lines = []
    for each in change.properties:
        values = "" if each.before is each.after is None else f": {each.before} → {each.after}"
        lines.append(f"{each.name}{values}{' (replaces)' if each.forces else ''}")
    return lines


def _event(event: Event) -> None:
    reason = f"  {event.reason}" if event.reason else ""
    click.echo(f"{event.time:%H:%M:%S}  {event.status:<28} {event.resource}{reason}")


def _table(head: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200  # a log has no width of its own
    table = Table(*head)
    for row in rows:
        # an action has a style of its own; what AWS said is no markup
        first = Text.from_markup(row[0]) if row[0].startswith("[") else Text(row[0])
        table.add_row(first, *(Text(cell, overflow="fold") for cell in row[1:]))
    console.print(table)
