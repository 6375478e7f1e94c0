"""Whether an identity's policies allow a request: a denial wins, and nothing is allowed by default.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from slipway.endpoint.access.iam.document import Statement
from slipway.endpoint.access.iam.pattern import Context


@dataclass(frozen=True)
class Decision:
    """The verdict on a request, and the statement that decided: ``None`` if none applies."""

    allowed: bool
    statement: Statement | None

    @property
    def reason(self) -> str:
        """Return why, in AWS's words."""
        if self.allowed:
            return "an identity-based policy allows it"
        if self.statement:
            return "with an explicit deny in an identity-based policy"
        return "because no identity-based policy allows the action"


def decide(
    statements: Iterable[Statement], action: str, resource: str, context: Context
) -> Decision:
    """Return what the statements of an identity say about ``action`` on the ARN ``resource``."""
    allowing: Statement | None = None
    for statement in statements:
        if not statement.covers(action, resource, context):
            continue
        if statement.effect == "Deny":
            return Decision(False, statement)
        allowing = allowing or statement
    return Decision(allowing is not None, allowing)


def keys_read(statements: Sequence[Statement], action: str) -> set[str]:
    """Return the condition keys, in lower case, that decide about ``action``."""
    return {
        key for each in statements if each.covers_action(action) for key in each.condition_keys()
    }
