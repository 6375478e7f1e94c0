"""The events of a stack, while CloudFormation changes it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from slipway.infra.aws import translate_errors

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

STACK = "AWS::CloudFormation::Stack"
# in the reason of a resource that was stopped because another one failed: never the cause
CANCELLED = "cancelled"


@dataclass(frozen=True)
class StackEvent:
    """One step of one resource."""

    id: str
    time: datetime
    resource: str
    kind: str
    status: str
    reason: str

    @property
    def is_of_stack(self) -> bool:
        """Return whether the event is about the stack itself, not a resource."""
        return self.kind == STACK

    @property
    def is_failure(self) -> bool:
        """Return whether the resource failed by itself."""
        return self.status.endswith("_FAILED") and CANCELLED not in self.reason


def list_events(client: CloudFormationClient, stack: str) -> list[StackEvent]:
    """Return the stack's events, oldest first; none if the stack does not exist.

    Raises:
        SlipwayError: AWS cannot be reached, or refuses.
    """
    events = []
    with translate_errors(stack):
        try:
            for page in client.get_paginator("describe_stack_events").paginate(StackName=stack):
                for description in page["StackEvents"]:
                    event = StackEvent(
                        description["EventId"],
                        description["Timestamp"],
                        description.get("LogicalResourceId", ""),
                        description.get("ResourceType", ""),
                        description.get("ResourceStatus", ""),
                        description.get("ResourceStatusReason", ""),
                    )
                    events.append(event)
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
    return events[::-1]


def follow_events(
    client: CloudFormationClient, stack: str, seen: set[str], poll: float
) -> Iterator[StackEvent]:
    """Yield new events, without those ``seen``, until the stack is no longer in progress.

    ``stack`` should be an ID, which also finds the stack after its deletion.

    Raises:
        SlipwayError: AWS cannot be reached, or refuses.
    """
    while True:
        with translate_errors(stack):
            status = client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        for event in list_events(client, stack):
            if event.id not in seen:
                seen.add(event.id)
                yield event
        if not status.endswith("_IN_PROGRESS"):
            return
        time.sleep(poll)
