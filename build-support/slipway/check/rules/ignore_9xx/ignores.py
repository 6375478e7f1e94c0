"""SW9xx: the ignores themselves. What they find is found while ignores are applied."""

from __future__ import annotations

from slipway.check.finding import Found
from slipway.check.ignore import UNKNOWN, UNREASONED, UNUSED
from slipway.check.rule import rule
from slipway.check.subject import Subject

SOURCE = "Slipway: an ignore is a debt, and a debt is on record"


@rule(
    UNUSED,
    "unused-ignore",
    reason="an ignore that outlives its finding hides the next one",
    source=SOURCE,
)
def unused(subject: Subject) -> list[Found]:
    """Found by :func:`slipway.check.ignore.apply`."""
    return []


@rule(
    UNREASONED,
    "ignore-without-reason",
    reason="who reads it later cannot tell whether it still holds",
    source=SOURCE,
)
def unreasoned(subject: Subject) -> list[Found]:
    """Found by :func:`slipway.check.ignore.apply`."""
    return []


@rule(
    UNKNOWN,
    "ignore-of-unknown-rule",
    reason="it silences nothing, and looks as if it did",
    source=SOURCE,
)
def unknown(subject: Subject) -> list[Found]:
    """Found by :func:`slipway.check.ignore.apply`."""
    return []
