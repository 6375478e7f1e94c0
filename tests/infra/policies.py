"""Whether IAM would allow a call: its rules for the operators that the templates use.

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
    """Whether ``statements``, of all policies together, allow ``action`` on ``resource``."""
    effects = {
        each["Effect"] for each in statements if each and _fits(each, action, resource, context)
    }
    return effects == {"Allow"}


def denies(
    statements: Iterable[Mapping[str, Any]],
    action: str,
    resource: str,
    context: Context = NO_CONTEXT,
) -> bool:
    """Whether one of ``statements`` denies it explicitly."""
    return any(
        each["Effect"] == "Deny" and _fits(each, action, resource, context)
        for each in statements
        if each
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


def _holds(operator: str, found: Any, values: list[str]) -> bool:
    if operator == "Null":
        return (found is None) == (values == ["true"])
    if operator == "ArnNotEquals":
        return found not in values
    if found is None:
        return False
    if operator == "ForAnyValue:StringEquals":
        return bool(set(found) & set(values))
    if operator == "NumericLessThan":
        return float(found) < float(values[0])
    if operator in ("StringEquals", "Bool", "ArnEquals"):
        return str(found) in values
    if operator == "StringLike":
        return any(_like(str(found), pattern) for pattern in values)
    raise AssertionError(f"an operator that is not known here: {operator}")


def _like(value: str, pattern: str) -> bool:
    words = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(words, value, re.DOTALL) is not None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
