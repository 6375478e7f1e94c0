"""``slipway infra``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.options import json_option
from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.infra.changes import ResourceChange
    from slipway.infra.environment import Environment
    from slipway.infra.events import StackEvent
    from slipway.infra.plan import DeploymentPlan
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
    """Plan and deploy the buckets, endpoints and roles in AWS.

    ENV is the name of a file in ci/infra/ without its .toml: account (deployed once), staging or
    production. See docs/infrastructure.md.

    Example: slipway infra plan staging
    """


@infra.command()
@click.argument("name", metavar="ENV")
@click.option(
    "--from-loadtest",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Plan with the parameters that follow from a load test's JSON, and print them.",
)
@click.option(
    "--import-existing", is_flag=True, help="Import resources that exist under these names."
)
@json_option("Print the changes as one JSON object.")
def plan(name: str, from_loadtest: Path | None, import_existing: bool, as_json: bool) -> None:
    """Show what deploying ENV would change.

    \b
    Example: slipway infra plan production
      slipway infra plan staging --from-loadtest loadtest.json
    """
    from slipway.infra import aws, plan, scaling
    from slipway.infra.containers import with_containers

    configured, environment = _read(name)
    measured = scaling.scaling_parameters(from_loadtest) if from_loadtest else {}
    environment = environment.with_parameters(measured) if measured else environment
    client = aws.create_client(environment)
    environment = with_containers(environment, configured, client.meta.region_name)
    with (
        working(f"asking CloudFormation what would change in {environment.stack}"),
        plan.plan_changes(client, environment, adopt=import_existing) as proposed,
    ):
        pass
    if as_json:
        click.echo(json.dumps(_dump(proposed) | ({"measured": measured} if measured else {})))
        return
    _print_plan(proposed)
    if measured:
        click.echo(f"From {from_loadtest}; to keep it, add to [parameters] of {environment.path}:")
        for line in scaling.as_toml(measured):
            click.echo(f"  {line}")


@infra.command()
@click.argument("name", metavar="ENV")
@click.option("--yes", is_flag=True, help="Deploy without asking for confirmation.")
@click.option(
    "--import-existing", is_flag=True, help="Import resources that exist under these names."
)
@click.option(
    "--uncommitted", is_flag=True, help="Deploy production from files that are not committed."
)
def deploy(name: str, yes: bool, import_existing: bool, uncommitted: bool) -> None:
    """Deploy ENV after showing what would change.

    Asks for confirmation and follows the deployment to its end.

    Example: slipway infra deploy staging
    """
    from slipway.catalog.origin import current_origin
    from slipway.infra import aws, deploy, plan, state
    from slipway.infra.containers import with_containers

    configured, environment = _read(name)
    if not uncommitted:
        deploy.reject_uncommitted(configured, environment)
    client = aws.create_client(environment)
    environment = with_containers(environment, configured, client.meta.region_name)
    if state.describe_stack(client, environment.stack).creation_failed:
        click.echo(
            f"The first creation of {environment.stack} failed; its remains have to be deleted."
        )
        _confirm(yes, "Delete them?")
        deploy.delete_failed_stack(client, environment.stack, _print_event)
    by = current_origin(configured.root)
    description = f"{by.commit or 'no commit'} by {by.by or 'unknown'}"
    with plan.plan_changes(
        client, environment, description=description, adopt=import_existing
    ) as proposed:
        _print_plan(proposed)
        if not proposed.changes:
            return
        _confirm(yes, f"{'Create' if proposed.creates else 'Change'} {environment.stack}?")
        try:
            final = deploy.execute(client, proposed, _print_event)
        except KeyboardInterrupt:
            click.echo(
                "\nThe deployment continues in AWS: aws cloudformation describe-stack-events"
                f" --stack-name {environment.stack}",
                err=True,
            )
            raise
    click.echo(f"{environment.stack}: {final.status}, protected from deletion")


@infra.command()
@click.argument("name", metavar="ENV")
@json_option()
@click.option(
    "--env", "as_env", is_flag=True, help="Print lines for a shell, as the pipeline reads them."
)
def outputs(name: str, as_json: bool, as_env: bool) -> None:
    """Show the names of ENV's bucket, endpoint and roles.

    \b
    Example: slipway infra outputs staging
      eval "$(slipway infra outputs staging --env)"
    """
    from slipway.infra import aws, outputs

    if as_json and as_env:
        raise click.UsageError("--json or --env, not both")
    _, environment = _read(name)
    with working(f"reading {environment.stack}"):
        stack = outputs.describe_deployed_stack(aws.create_client(environment), environment)
    if as_json:
        click.echo(json.dumps(stack.outputs))
        return
    if as_env:
        for line in outputs.as_variables(environment, stack.outputs):
            click.echo(line)
        return
    rows = [[key, value, stack.descriptions[key]] for key, value in stack.outputs.items()]
    _print_table(["output", "value", ""], rows)


@infra.command()
@click.argument("name", metavar="ENV")
@click.argument("role")
@click.argument("action")
@click.option("--resource", metavar="ARN", help="By default ENV's own endpoint.")
@click.option("--target-model", metavar="TARGET", help="The key sagemaker:TargetModel.")
@click.option("--container", metavar="HOST", help="The key sagemaker:TargetContainerHostname.")
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any other condition key of the request; may be repeated.",
)
@json_option()
def may(
    name: str,
    role: str,
    action: str,
    resource: str | None,
    target_model: str | None,
    container: str | None,
    keys: tuple[str, ...],
    as_json: bool,
) -> int:
    """Say whether a role of ENV may do something, without AWS.

    ROLE is one of the template, such as Invoker or CiRole, ACTION one of IAM. Exits with 1 if the
    role may not.

    \b
    Example: slipway infra may staging Invoker sagemaker:InvokeEndpoint
      slipway infra may staging CiRole s3:PutObject --resource arn:aws:s3:::b/key
    """
    from slipway import settings
    from slipway.infra import may

    values = {"sagemaker:TargetModel": target_model, "sagemaker:TargetContainerHostname": container}
    answer = may.ask(
        settings.load(Path.cwd()),
        name,
        role,
        action,
        resource,
        may.parse_keys(keys) | {key: (value,) for key, value in values.items() if value},
    )
    if as_json:
        click.echo(json.dumps(answer.as_json()))
    else:
        for line in answer.lines():
            click.echo(line)
    return 0 if answer.decision.allowed else 1


def _read(name: str) -> tuple[Settings, Environment]:
    from slipway import settings
    from slipway.infra import environment

    configured = settings.load(Path.cwd())
    return configured, environment.load_environment(configured, name)


def _confirm(yes: bool, question: str) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise SlipwayError(
            "standard input is not a terminal", fix="re-run with --yes after reviewing the plan"
        )
    click.confirm(question, abort=True)


def _dump(proposed: DeploymentPlan) -> dict[str, Any]:
    return {
        "environment": proposed.environment.name,
        "stack": proposed.environment.stack,
        "creates": proposed.creates,
        "changes": [asdict(change) for change in proposed.changes],
    }


def _print_plan(proposed: DeploymentPlan) -> None:
    if not proposed.changes:
        click.echo(f"{proposed.environment.stack}: nothing to change")
        return
    rows = [
        [f"[{STYLES.get(change.action, 'cyan')}]{change.action}[/]", change.resource, change.kind]
        + ["\n".join(_property(change))]
        for change in proposed.changes
    ]
    _print_table(["", "resource", "type", "change"], rows)
    destructive = sum(change.is_destructive for change in proposed.changes)
    new = "a new stack; " if proposed.creates else ""
    click.echo(
        f"{proposed.environment.stack}: {new}{len(rows)} to change,"
        f" {destructive} that replace or remove"
    )


def _property(change: ResourceChange) -> list[str]:
    lines = []
    for item in change.properties:
        values = "" if item.before is item.after is None else f": {item.before} → {item.after}"
        lines.append(f"{item.name}{values}{' (replaces)' if item.forces else ''}")
    return lines


def _print_event(event: StackEvent) -> None:
    reason = f"  {event.reason}" if event.reason else ""
    click.echo(f"{event.time:%H:%M:%S}  {event.status:<28} {event.resource}{reason}")


def _print_table(head: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200  # a log has no width of its own
    table = Table(*head)
    for row in rows:
        # an action has a style of its own; text from AWS is not markup
        first = Text.from_markup(row[0]) if row[0].startswith("[") else Text(row[0])
        table.add_row(first, *(Text(cell, overflow="fold") for cell in row[1:]))
    console.print(table)
