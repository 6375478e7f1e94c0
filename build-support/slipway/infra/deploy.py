"""Execute a planned deployment, and report its events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from slipway import process
from slipway.errors import SlipwayError
from slipway.infra import events
from slipway.infra import state as states
from slipway.infra.aws import translate_errors
from slipway.infra.environment import FOLDER, Environment
from slipway.infra.events import StackEvent
from slipway.infra.plan import DeploymentPlan
from slipway.infra.state import StackState
from slipway.settings import FILE_NAME, Settings

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

COMPLETE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
POLL_S = 3.0
OnEvent = Callable[[StackEvent], object]


def reject_uncommitted(settings: Settings, environment: Environment) -> None:
    """Reject a deployment of production from uncommitted files, which can be neither reviewed nor
    repeated. Staging is for experiments.

    Raises:
        SlipwayError: the environment is production, and its files differ from git's.
    """
    if not environment.is_production:
        return
    lines = process.run(
        ["git", "status", "--porcelain", "--", FOLDER, FILE_NAME],
        what="checking that the infrastructure is committed",
        fix="deploy production from a git checkout, or with --uncommitted",
        cwd=settings.root,
    ).stdout.splitlines()
    if lines:
        changed = ", ".join(line[3:] for line in lines)
        raise SlipwayError(
            f"not committed: {changed}",
            where=environment.name,
            fix="commit it, have it reviewed and deploy that; or use --uncommitted in an emergency",
        )


def delete_failed_stack(
    client: CloudFormationClient, stack: str, on_event: OnEvent, *, poll: float = POLL_S
) -> None:
    """Delete a stack whose first creation failed, and which therefore never served.

    Raises:
        SlipwayError: AWS cannot be reached or refuses, or the stack cannot be deleted.
    """
    with translate_errors(stack):
        stack_id = client.describe_stacks(StackName=stack)["Stacks"][0]["StackId"]
        seen = {event.id for event in events.list_events(client, stack_id)}
        client.delete_stack(StackName=stack_id)
    followed = []
    for event in events.follow_events(client, stack_id, seen, poll):
        on_event(event)
        followed.append(event)
    state = states.describe_stack(client, stack)
    if state.status is not None:
        raise _failed(stack, followed, state)


def execute(
    client: CloudFormationClient, plan: DeploymentPlan, on_event: OnEvent, *, poll: float = POLL_S
) -> StackState:
    """Execute the plan, call ``on_event`` with each event, and protect the stack from deletion.

    Return the stack's state. The error of a failed deployment names the first resource that failed.

    Raises:
        SlipwayError: AWS cannot be reached or refuses, or a resource failed.
    """
    stack = plan.environment.stack
    seen = {event.id for event in events.list_events(client, stack)}
    with translate_errors(stack):
        client.execute_change_set(ChangeSetName=plan.change_set, StackName=stack)
    followed = []
    for event in events.follow_events(client, stack, seen, poll):
        on_event(event)
        followed.append(event)
    state = states.describe_stack(client, stack)
    if state.status not in COMPLETE:
        raise _failed(stack, followed, state)
    if not state.protected:
        with translate_errors(stack):
            client.update_termination_protection(StackName=stack, EnableTerminationProtection=True)
        state = states.describe_stack(client, stack)
    return state


def _failed(stack: str, followed: list[StackEvent], state: StackState) -> SlipwayError:
    failures = [event for event in followed if event.is_failure]
    first = next((event for event in failures if not event.is_of_stack), None)
    first = first or next(iter(failures), None)
    what = f"{first.resource} ({first.kind}): {first.reason}" if first else str(state.reason or "")
    after = {
        "UPDATE_ROLLBACK_COMPLETE": "the stack is unchanged",
        "ROLLBACK_COMPLETE": "the resources are deleted; only the stack's name remains",
    }.get(state.status or "", f"the stack is {state.status}")
    return SlipwayError(
        f"failed: {what}\n  {after}",
        where=stack,
        fix="correct the named resource, then run slipway infra deploy again",
    )
