"""A change set: what a deployment would do, computed by CloudFormation before it is executed."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slipway.errors import SlipwayError
from slipway.infra import serving
from slipway.infra import state as states
from slipway.infra.aws import translate_errors
from slipway.infra.changes import ResourceChange, parse_changes
from slipway.infra.environment import Environment
from slipway.infra.state import StackState

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
POLL_S = 2.0


@dataclass(frozen=True)
class DeploymentPlan:
    """``changes`` are empty if stack and template agree. ``change_set`` is an ARN."""

    environment: Environment
    state: StackState
    change_set: str
    changes: tuple[ResourceChange, ...]

    @property
    def creates(self) -> bool:
        """Return whether the stack is new."""
        return self.state.is_new


@contextlib.contextmanager
def plan_changes(
    client: CloudFormationClient,
    environment: Environment,
    *,
    description: str = "slipway infra",
    adopt: bool = False,
    poll: float = POLL_S,
) -> Iterator[DeploymentPlan]:
    """Yield the plan of a deployment. Unless it is executed, the change set, and the empty stack of
    a first deployment, are deleted at the end of the context.

    ``adopt`` imports resources that exist under the template's names into the stack, such as the
    bucket that a deleted stack retained.

    Raises:
        SlipwayError: AWS cannot be reached or refuses, the stack is being changed, its first
            creation failed, or the template or a parameter is wrong.
    """
    environment = serving.complete(environment, client.meta.region_name)
    state = states.describe_stack(client, environment.stack)
    state.reject_if_busy()
    if state.creation_failed:
        raise SlipwayError(
            f"the stack's first creation failed ({state.status}): it cannot be updated",
            where=environment.stack,
            fix=f"run slipway infra deploy {environment.name}, which deletes it and starts again",
        )
    optional: dict[str, Any] = {"ImportExistingResources": True} if adopt else {}
    with translate_errors(environment.stack):
        change_set = client.create_change_set(
            StackName=environment.stack,
            ChangeSetName=f"slipway-{uuid.uuid4().hex[:12]}",
            ChangeSetType="CREATE" if state.is_new else "UPDATE",
            Description=description[:1024],
            TemplateBody=environment.template.body,
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in environment.parameters.items()
            ],
            Tags=[{"Key": key, "Value": value} for key, value in environment.tags.items()],
            # roles have names, so that policies can refer to them
            Capabilities=["CAPABILITY_NAMED_IAM"],
            **optional,
        )["Id"]
    try:
        changes = tuple(_changes(client, environment, change_set, poll))
        yield DeploymentPlan(environment, state, change_set, changes)
    finally:
        _remove(client, state, change_set)


def _changes(
    client: CloudFormationClient, environment: Environment, change_set: str, poll: float
) -> list[ResourceChange]:
    descriptions: list[dict[str, Any]] = []
    token: dict[str, Any] = {}
    while True:
        with translate_errors(environment.stack):
            page = client.describe_change_set(
                ChangeSetName=change_set, IncludePropertyValues=True, **token
            )
        status, reason = page["Status"], page.get("StatusReason", "")
        if status == "FAILED":
            if any(words in reason for words in NO_CHANGES):
                return []
            raise SlipwayError(
                f"cannot create a change set: {reason}",
                where=str(environment.template.path),
                fix="correct the template or the parameters",
            )
        if status != "CREATE_COMPLETE":
            time.sleep(poll)
            continue
        descriptions += map(dict, page.get("Changes", ()))
        if "NextToken" not in page:
            return parse_changes(descriptions)
        token = {"NextToken": page["NextToken"]}


def _remove(client: CloudFormationClient, before: StackState, change_set: str) -> None:
    # an executed change set no longer exists; one that cannot be deleted is harmless
    with contextlib.suppress(SlipwayError), translate_errors(before.stack):
        if before.is_new and states.describe_stack(client, before.stack).status != states.IN_REVIEW:
            return
        client.delete_change_set(ChangeSetName=change_set)
        if before.status is None:  # otherwise the empty stack belongs to another change set
            client.delete_stack(StackName=before.stack)
