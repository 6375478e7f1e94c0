"""What a token allows: which endpoints, which target models, to invoke or to look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from slipway.endpoint.policy import Policy

type Action = Literal["invoke", "look"]
ACTIONS: tuple[Action, ...] = ("invoke", "look")


@dataclass(frozen=True)
class Grant:
    """The claims of a token. ``targets`` and ``endpoints`` are patterns as IAM's StringLike.

    ``invoke`` is to invoke a target model, ``look`` to see state, metrics, reports and the control
    plane.
    """

    id: str
    subject: str
    issued: datetime
    expires: datetime
    actions: tuple[Action, ...] = ACTIONS
    targets: tuple[str, ...] = ("*",)
    endpoints: tuple[str, ...] = ("*",)

    def allows(self, action: Action, endpoint: str, target: str | None) -> bool:
        """Return whether it allows ``action``.

        An invocation that names no target, such as that of a pipeline, needs one for all.
        """
        if action not in self.actions or not _like(self.endpoints).allows(endpoint):
            return False
        if action != "invoke":
            return True
        return _like(self.targets).allows(target) if target else "*" in self.targets


@lru_cache(1024)
def _like(patterns: tuple[str, ...]) -> Policy:
    return Policy(patterns)
