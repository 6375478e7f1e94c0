"""A change set: what a deployment would do, asked of CloudFormation before it does it."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slipway.errors import SlipwayError
from slipway.infra import changes
from slipway.infra import state as states
from slipway.infra.aws import told
from slipway.infra.changes import Change
from slipway.infra.environment import Environment
from slipway.infra.state import State

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

NOTHING = ("didn't contain changes", "No updates are to be performed")
POLL_S = 2.0


@dataclass(frozen=True)
class Plan:
    """``changes`` are empty where stack and template agree. ``change_set`` is its ARN."""

    environment: Environment
    state: State
    change_set: str
    changes: tuple[Change, ...]

    @property
    def creates(self) -> bool:
        """Whether the stack is new."""
        return self.state.is_new


@contextlib.contextmanager
def proposed(
    client: CloudFormationClient,
    environment: Environment,
    *,
    description: str = "slipway infra",
    adopt: bool = False,
    poll: float = POLL_S,
) -> Iterator[Plan]:
    """What would change. The change set, and the shell of a stack that was never created, are
    gone when the context ends, unless it was executed.

    ``adopt`` takes resources that exist under the names of the template into the stack, such
    as the bucket that a deleted stack left.

    Raises:
        SlipwayError: AWS is not reached or refuses; the stack is being changed, or its first
            creation failed; the template is wrong.
    """
    found = states.read(client, environment.stack)
    found.refuse_if_busy()
    if found.failed_at_birth:
        raise SlipwayError(
            f"its first creation failed ({found.status}), and such a stack cannot be updated",
            where=environment.stack,
            fix=f"slipway infra deploy {environment.name} removes what is left of it, and begins anew",
        )
    optional: dict[str, Any] = {"ImportExistingResources": True} if adopt else {}
    with told(environment.stack):
        made = client.create_change_set(
            StackName=environment.stack,
            ChangeSetName=f"slipway-{uuid.uuid4().hex[:12]}",
            ChangeSetType="CREATE" if found.is_new else "UPDATE",
            Description=description[:1024],
            TemplateBody=environment.template.body,
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in environment.parameters.items()
            ],
            Tags=[{"Key": key, "Value": value} for key, value in environment.tags.items()],
            Capabilities=[
                "CAPABILITY_NAMED_IAM"
            ],  # roles have names, so that policies can know them
            **optional,
        )["Id"]
    try:
        yield Plan(environment, found, made, tuple(_changes(client, environment, made, poll)))
    finally:
        _remove(client, found, made)


def _changes(
    client: CloudFormationClient, environment: Environment, change_set: str, poll: float
) -> list[Change]:
    said: list[dict[str, Any]] = []
    token: dict[str, Any] = {}
    while True:
        with told(environment.stack):
            page = client.describe_change_set(
                ChangeSetName=change_set, IncludePropertyValues=True, **token
            )
        status, reason = page["Status"], page.get("StatusReason", "")
        if status == "FAILED":
            if any(words in reason for words in NOTHING):
                return []
            raise SlipwayError(
                f"no change set could be made: {reason}",
                where=str(environment.template.path),
                fix="correct the template or the parameters as it says",
            )
        if status != "CREATE_COMPLETE":
            time.sleep(poll)
            continue
        said += [dict(each) for each in page.get("Changes", ())]
        if "NextToken" not in page:
            return changes.read(said)
        token = {"NextToken": page["NextToken"]}


def _remove(client: CloudFormationClient, before: State, change_set: str) -> None:
    # an executed change set is gone already; what cannot be removed now does no harm
    with contextlib.suppress(SlipwayError), told(before.stack):
        if before.is_new and states.read(client, before.stack).status != states.ONLY_PROPOSED:
            return
        client.delete_change_set(ChangeSetName=change_set)
        if (
            before.status is None
        ):  # otherwise the shell is somebody else's, with a change set of theirs
            client.delete_stack(StackName=before.stack)
