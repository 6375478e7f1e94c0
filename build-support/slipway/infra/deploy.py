"""Executes what was planned, and tells how it went."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from slipway import process
from slipway.errors import SlipwayError
from slipway.infra import events
from slipway.infra import state as states
from slipway.infra.aws import told
from slipway.infra.environment import FOLDER, Environment
from slipway.infra.events import Event
from slipway.infra.plan import Plan
from slipway.infra.state import State
from slipway.settings import FILE_NAME, Settings

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
POLL_S = 3.0
Shown = Callable[[Event], object]


def refuse_uncommitted(settings: Settings, environment: Environment) -> None:
    """Production is made from what others can read: a deployment from uncommitted files could
    be neither reviewed nor repeated. Staging is for trying.

    Raises:
        SlipwayError: the environment is production, and its files differ from git's.
    """
    if not environment.is_production:
        return
    said = process.run(
        ["git", "status", "--porcelain", "--", FOLDER, FILE_NAME],
        what="asking git whether the infrastructure is committed",
        fix="deploy production from a git checkout, or with --uncommitted",
        cwd=settings.root,
    ).stdout.splitlines()
    if said:
        changed = ", ".join(line[3:] for line in said)
        raise SlipwayError(
            f"not committed: {changed}",
            where=environment.name,
            fix="commit, let it be reviewed, and deploy that; or --uncommitted in an emergency",
        )


def remove_failed(
    client: CloudFormationClient, stack: str, shown: Shown, *, poll: float = POLL_S
) -> None:
    """Delete a stack whose first creation failed. Nothing served from it.

    Raises:
        SlipwayError: AWS is not reached or refuses, or it cannot be deleted.
    """
    with told(stack):
        stack_id = client.describe_stacks(StackName=stack)["Stacks"][0]["StackId"]
        seen = {event.id for event in events.read(client, stack_id)}
        client.delete_stack(StackName=stack_id)
    followed = []
    for event in events.follow(client, stack_id, seen, poll):
        shown(event)
        followed.append(event)
    left = states.read(client, stack)
    if left.status is not None:
        raise _failed(stack, followed, left)


def execute(
    client: CloudFormationClient, plan: Plan, shown: Shown, *, poll: float = POLL_S
) -> State:
    """Do it, call ``shown`` with each event, and protect the stack from deletion; how it stands
    then.

    Raises:
        SlipwayError: AWS is not reached or refuses; or a resource failed: the first that did.
    """
    stack = plan.environment.stack
    seen = {event.id for event in events.read(client, stack)}
    with told(stack):
        client.execute_change_set(ChangeSetName=plan.change_set, StackName=stack)
    followed = []
    for event in events.follow(client, stack, seen, poll):
        shown(event)
        followed.append(event)
    made = states.read(client, stack)
    if made.status not in DONE:
        raise _failed(stack, followed, made)
    if not made.protected:
        with told(stack):
            client.update_termination_protection(StackName=stack, EnableTerminationProtection=True)
        made = states.read(client, stack)
    return made


def _failed(stack: str, followed: list[Event], left: State) -> SlipwayError:
    culprits = [event for event in followed if event.is_failure]
    first = next((event for event in culprits if not event.is_of_stack), None)
    first = first or next(iter(culprits), None)
    what = f"{first.resource} ({first.kind}): {first.reason}" if first else str(left.reason or "")
    after = {
        "UPDATE_ROLLBACK_COMPLETE": "everything is as before",
        "ROLLBACK_COMPLETE": "nothing of it is left but the name",
    }.get(left.status or "", f"the stack is {left.status}")
    return SlipwayError(
        f"failed: {what}\n  {after}",
        where=stack,
        fix="correct what it names, then slipway infra deploy again",
    )
