"""What CloudFormation does, while it does it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from slipway.infra.aws import told

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

STACK = "AWS::CloudFormation::Stack"
# of a resource that was stopped because another one failed: never the cause
STOPPED = "cancelled"


@dataclass(frozen=True)
class Event:
    """One step of one resource."""

    id: str
    time: datetime
    resource: str
    kind: str
    status: str
    reason: str

    @property
    def is_of_stack(self) -> bool:
        """Whether it is the stack's own, and no resource's."""
        return self.kind == STACK

    @property
    def is_failure(self) -> bool:
        """Whether it failed by itself."""
        return self.status.endswith("_FAILED") and STOPPED not in self.reason


def read(client: CloudFormationClient, stack: str) -> list[Event]:
    """Every event of the stack, oldest first; none if there is no such stack.

    Raises:
        SlipwayError: AWS is not reached, or refuses.
    """
    found = []
    with told(stack):
        try:
            for page in client.get_paginator("describe_stack_events").paginate(StackName=stack):
                for said in page["StackEvents"]:
                    event = Event(
                        said["EventId"],
                        said["Timestamp"],
                        said.get("LogicalResourceId", ""),
                        said.get("ResourceType", ""),
                        said.get("ResourceStatus", ""),
                        said.get("ResourceStatusReason", ""),
                    )
                    found.append(event)
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
    return found[::-1]


def follow(
    client: CloudFormationClient, stack: str, seen: set[str], poll: float
) -> Iterator[Event]:
    """Events as they come, but those ``seen``, until the stack rests.

    ``stack`` is best an ID, which finds the stack after its deletion, too.

    Raises:
        SlipwayError: AWS is not reached, or refuses.
    """
    while True:
        with told(stack):
            status = client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        for event in read(client, stack):
            if event.id not in seen:
                seen.add(event.id)
                yield event
        if not status.endswith("_IN_PROGRESS"):
            return
        time.sleep(poll)
