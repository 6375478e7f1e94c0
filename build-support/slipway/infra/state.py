"""The state of a stack, and whether it can be changed now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from slipway.errors import SlipwayError
from slipway.infra.aws import translate_errors

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

# a change set exists for a stack that was never created
IN_REVIEW = "REVIEW_IN_PROGRESS"
# a stack that can only be deleted (CloudFormation User Guide, "Stack status codes")
CREATION_FAILED = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"}


@dataclass(frozen=True)
class StackState:
    """A stack as CloudFormation describes it; ``status`` is ``None`` if it does not exist."""

    stack: str
    status: str | None
    reason: str | None
    outputs: dict[str, str]
    descriptions: dict[str, str]
    protected: bool

    @property
    def is_new(self) -> bool:
        """Return whether it has to be created."""
        return self.status in (None, IN_REVIEW)

    @property
    def creation_failed(self) -> bool:
        """Return whether it has to be deleted before it can be created."""
        return self.status in CREATION_FAILED

    def reject_if_busy(self) -> None:
        """Reject a stack that cannot be changed now.

        Raises:
            SlipwayError: the stack is being changed, or has to be repaired by hand.
        """
        status = self.status or ""
        if status == "UPDATE_ROLLBACK_FAILED":
            raise SlipwayError(
                f"an update failed, and so did its rollback: {self.reason}",
                where=self.stack,
                fix="repair what it names, then run aws cloudformation continue-update-rollback"
                f" --stack-name {self.stack}",
            )
        if status == "DELETE_FAILED":
            raise SlipwayError(
                f"its deletion failed: {self.reason}",
                where=self.stack,
                fix="repair what it names, then run aws cloudformation delete-stack"
                f" --stack-name {self.stack}",
            )
        if status.endswith("_IN_PROGRESS") and status != IN_REVIEW:
            raise SlipwayError(
                f"the stack is being changed: {status}",
                where=self.stack,
                fix="wait until that is complete",
            )


def describe_stack(client: CloudFormationClient, stack: str) -> StackState:
    """Return the stack's current state.

    Raises:
        SlipwayError: AWS cannot be reached, or refuses.
    """
    with translate_errors(stack):
        try:
            description = client.describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as error:
            # CloudFormation has no error code for it
            if "does not exist" in str(error):
                return StackState(stack, None, None, {}, {}, False)
            raise
    outputs = description.get("Outputs", [])
    return StackState(
        stack,
        description["StackStatus"],
        description.get("StackStatusReason"),
        {output["OutputKey"]: output["OutputValue"] for output in outputs},
        {output["OutputKey"]: output.get("Description", "") for output in outputs},
        description.get("EnableTerminationProtection", False),
    )
