"""The condition operators of IAM.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
and, for ``ForAllValues`` and ``ForAnyValue``,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from slipway.endpoint.access.iam.pattern import (
    Context,
    Unresolved,
    Values,
    literal,
    matches,
    matches_arn,
)

type Compare = Callable[[str, str, Context], bool]
type Quantifier = Literal["", "ForAllValues", "ForAnyValue"]

IF_EXISTS = "IfExists"
NULL = "Null"


@dataclass(frozen=True)
class Condition:
    """One key of a Condition: ``values`` of which one has to match, none if ``negated``."""

    operator: str
    compare: Compare
    negated: bool
    quantifier: Quantifier
    if_exists: bool
    key: str
    values: Values

    def holds(self, context: Context, *, unresolved: bool) -> bool:
        """Return whether the request's values of the key fulfil the condition.

        A variable without a value matches nothing. Whether a negated operator then holds is not
        documented: it does where ``unresolved``.
        """
        given = context.get(self.key.lower(), ())
        if self.operator == NULL:
            return any(value.lower() == str(not given).lower() for value in self.values)
        if not given:
            if self.quantifier == "ForAnyValue":
                return self.if_exists
            return self.if_exists or self.negated or self.quantifier == "ForAllValues"
        found = [self._matches(value, context, unresolved) for value in given]
        if self.quantifier == "ForAnyValue":
            return any(found)
        # several values need a quantifier: AWS documents no meaning without one
        return all(found) and (len(given) == 1 or self.quantifier == "ForAllValues")

    def _matches(self, value: str, context: Context, unresolved: bool) -> bool:
        is_missing = False
        for wanted in self.values:
            try:
                if self.compare(wanted, value, context):
                    return not self.negated
            except Unresolved:
                is_missing = True
        return unresolved if is_missing and self.negated else self.negated


def parse(name: str, key: str, values: Values) -> Condition:
    """Return the condition ``{name: {key: values}}``.

    Raises:
        ValueError: the operator, or one of its values, is not one that IAM has.
    """
    quantifier, colon, rest = name.rpartition(":")
    operator = rest.removesuffix(IF_EXISTS)
    if quantifier not in ("", "ForAllValues", "ForAnyValue") or (colon and not quantifier):
        raise ValueError(f"{name} is no condition operator of IAM")
    if operator == NULL:
        if quantifier or rest != NULL or any(v.lower() not in ("true", "false") for v in values):
            raise ValueError(f'{name} takes "true" or "false"')
        return Condition(NULL, _equals, False, "", False, key, values)
    negated = operator not in OPERATORS
    positive = NEGATED.get(operator, operator)
    if positive not in OPERATORS:
        raise ValueError(f"{name} is no condition operator of IAM")
    check = CHECKED.get(positive)
    for value in values if check else ():
        if check and "${" not in value and check(value) is None:
            raise ValueError(f"{name} cannot take {value!r}")
    if_exists = rest != operator
    # mypy cannot see that the two words are the literals
    quantified: Quantifier = (
        "ForAllValues"
        if quantifier == "ForAllValues"
        else "ForAnyValue" if quantifier == "ForAnyValue" else ""
    )
    return Condition(operator, OPERATORS[positive], negated, quantified, if_exists, key, values)


def _equals(wanted: str, value: str, context: Context) -> bool:
    return literal(wanted, context) == value


def _equals_ignoring_case(wanted: str, value: str, context: Context) -> bool:
    return literal(wanted, context).casefold() == value.casefold()


def _arn(wanted: str, value: str, context: Context) -> bool:
    # both operators take wildcards, and each needs the six segments
    return value.count(":") >= 5 and matches_arn(wanted, value, context)


def _binary(wanted: str, value: str, context: Context) -> bool:
    try:
        return base64.b64decode(wanted, validate=True) == base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False


def _bool(wanted: str, value: str, context: Context) -> bool:
    return literal(wanted, context).lower() == value.lower()


def _address(wanted: str, value: str, context: Context) -> bool:
    network, address = _network(literal(wanted, context)), _ip(value)
    return network is not None and address is not None and address in network


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _date(text: str) -> float | None:
    """Return seconds since 1970 of an ISO 8601 date, or of such a number."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return _number(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


type _Read = Callable[[str], float | None]
type _Order = Callable[[float, float], bool]

ORDERS: dict[str, _Order] = {
    "Equals": lambda value, wanted: value == wanted,
    "LessThan": lambda value, wanted: value < wanted,
    "LessThanEquals": lambda value, wanted: value <= wanted,
    "GreaterThan": lambda value, wanted: value > wanted,
    "GreaterThanEquals": lambda value, wanted: value >= wanted,
}


def _ordered(read: _Read, order: _Order) -> Compare:
    def compare(wanted: str, value: str, context: Context) -> bool:
        expected, found = read(literal(wanted, context)), read(value)
        return expected is not None and found is not None and order(found, expected)

    return compare


OPERATORS: dict[str, Compare] = {
    "StringEquals": _equals,
    "StringEqualsIgnoreCase": _equals_ignoring_case,
    "StringLike": matches,
    "ArnEquals": _arn,
    "ArnLike": _arn,
    "BinaryEquals": _binary,
    "Bool": _bool,
    "IpAddress": _address,
    **{f"Numeric{name}": _ordered(_number, order) for name, order in ORDERS.items()},
    **{f"Date{name}": _ordered(_date, order) for name, order in ORDERS.items()},
}
NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
# whether a value of a policy can be read at all
CHECKED: dict[str, Callable[[str], object]] = {
    "IpAddress": _network,
    "Bool": lambda text: text if text.lower() in ("true", "false") else None,
    **{f"Numeric{name}": _number for name in ORDERS},
    **{f"Date{name}": _date for name in ORDERS},
}
