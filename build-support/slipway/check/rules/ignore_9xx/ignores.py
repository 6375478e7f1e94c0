"""SW9xx: the ignores themselves; their findings are computed while ignores are applied."""

from __future__ import annotations

from slipway.check.finding import RuleHit
from slipway.check.ignore import UNKNOWN, UNREASONED, UNUSED
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule

SOURCE = "Slipway: an ignore is technical debt, and debt is recorded with its reason"


@rule(
    UNUSED,
    "unused-ignore",
    reason="an ignore that outlives its finding hides the next one",
    source=SOURCE,
)
def unused(model: ModelUnderCheck) -> list[RuleHit]:
    """Return nothing: :func:`slipway.check.ignore.apply_ignores` finds them."""
    return []


@rule(
    UNREASONED,
    "ignore-without-reason",
    reason="a later reader cannot tell whether it still applies",
    source=SOURCE,
)
def unreasoned(model: ModelUnderCheck) -> list[RuleHit]:
    """Return nothing: :func:`slipway.check.ignore.apply_ignores` finds them."""
    return []


@rule(
    UNKNOWN,
    "ignore-of-unknown-rule",
    reason="it silences nothing, although it looks as if it did",
    source=SOURCE,
)
def unknown(model: ModelUnderCheck) -> list[RuleHit]:
    """Return nothing: :func:`slipway.check.ignore.apply_ignores` finds them."""
    return []
