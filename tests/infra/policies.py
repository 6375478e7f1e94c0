"""Decide whether IAM would allow a call, by its rules for the operators that the templates use.

An explicit Deny wins, then an Allow, else denied (IAM User Guide, "Policy evaluation logic").
A condition's key that is not in the request makes its operator false, except for Null and the
negated ("Not") operators, which are true.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

Context = Mapping[str, Any]
NO_CONTEXT: Context = {}


def allows(
    statements: Iterable[Mapping[str, Any]],
    action: str,
    resource: str,
    context: Context = NO_CONTEXT,
) -> bool:
    """Return whether ``statements``, of all policies together, allow ``action`` on ``resource``."""
    effects = {
        statement["Effect"]
        for statement in statements
        if statement and _fits(statement, action, resource, context)
    }
    return effects == {"Allow"}


def denies(
    statements: Iterable[Mapping[str, Any]],
    action: str,
    resource: str,
    context: Context = NO_CONTEXT,
) -> bool:
    """Return whether one of ``statements`` denies the call explicitly."""
    return any(
        statement["Effect"] == "Deny" and _fits(statement, action, resource, context)
        for statement in statements
        if statement
    )


def _fits(statement: Mapping[str, Any], action: str, resource: str, context: Context) -> bool:
    return (
        any(_like(action.lower(), pattern.lower()) for pattern in _list(statement["Action"]))
        and any(_like(resource, pattern) for pattern in _list(statement.get("Resource", "*")))
        and all(
            _holds(operator, context.get(key), [str(value) for value in _list(values)])
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _holds(operator: str, value: Any, values: list[str]) -> bool:
    if operator == "Null":
        return (value is None) == (values == ["true"])
    if operator == "ArnNotEquals":
        return value not in values
    if value is None:
        return False
    if operator == "ForAnyValue:StringEquals":
        return bool(set(value) & set(values))
    if operator == "NumericLessThan":
        return float(value) < float(values[0])
    if operator in ("StringEquals", "Bool", "ArnEquals"):
        return str(value) in values
    if operator == "StringLike":
        return any(_like(str(value), pattern) for pattern in values)
    raise AssertionError(f"an operator that is not known here: {operator}")


def _like(value: str, pattern: str) -> bool:
    words = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(words, value, re.DOTALL) is not None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
