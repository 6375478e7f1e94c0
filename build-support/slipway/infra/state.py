"""What stands of a stack, and whether it can be changed now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from slipway.errors import SlipwayError
from slipway.infra.aws import told

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

# a change set was made for a stack that was never created
ONLY_PROPOSED = "REVIEW_IN_PROGRESS"
# the first creation failed: such a stack can only be deleted (CloudFormation User Guide, "Stack status codes")
FAILED_AT_BIRTH = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"}


@dataclass(frozen=True)
class State:
    """A stack as CloudFormation describes it; ``status`` is ``None`` where there is none."""

    stack: str
    status: str | None
    reason: str | None
    outputs: dict[str, str]
    descriptions: dict[str, str]
    protected: bool

    @property
    def is_new(self) -> bool:
        """Whether it has to be created."""
        return self.status in (None, ONLY_PROPOSED)

    @property
    def failed_at_birth(self) -> bool:
        """Whether it has to be deleted before it can be created."""
        return self.status in FAILED_AT_BIRTH

    def refuse_if_busy(self) -> None:
        """Refuse a stack that cannot be changed now.

        Raises:
            SlipwayError: it is being changed, or has to be mended by hand.
        """
        status = self.status or ""
        if status == "UPDATE_ROLLBACK_FAILED":
            raise SlipwayError(
                f"an update failed, and so did its rollback: {self.reason}",
                where=self.stack,
                fix="mend what it names, then: aws cloudformation continue-update-rollback"
                f" --stack-name {self.stack}",
            )
        if status == "DELETE_FAILED":
            raise SlipwayError(
                f"its deletion failed: {self.reason}",
                where=self.stack,
                fix=f"mend what it names, then: aws cloudformation delete-stack --stack-name {self.stack}",
            )
        if status.endswith("_IN_PROGRESS") and status != ONLY_PROPOSED:
            raise SlipwayError(
                f"is being changed: {status}", where=self.stack, fix="wait until that is done"
            )


def read(client: CloudFormationClient, stack: str) -> State:
    """The stack as it stands.

    Raises:
        SlipwayError: AWS is not reached, or refuses.
    """
    with told(stack):
        try:
            said = client.describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as error:
            # CloudFormation has no code of its own for it
            if "does not exist" in str(error):
                return State(stack, None, None, {}, {}, False)
            raise
    outputs = said.get("Outputs", [])
    return State(
        stack,
        said["StackStatus"],
        said.get("StackStatusReason"),
        {each["OutputKey"]: each["OutputValue"] for each in outputs},
        {each["OutputKey"]: each.get("Description", "") for each in outputs},
        said.get("EnableTerminationProtection", False),
    )
