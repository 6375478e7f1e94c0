"""A policy document, read strictly: what is not understood is an error, never ignored.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from slipway.endpoint.access.iam import conditions
from slipway.endpoint.access.iam.conditions import Condition
from slipway.endpoint.access.iam.pattern import Context, Unresolved, matches, matches_arn, variables
from slipway.errors import SlipwayError

VERSIONS = ("2012-10-17", "2008-10-17")
KEYS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
FIX = "correct the policy; what cannot be evaluated would be allowed or denied by chance"


@dataclass(frozen=True)
class Statement:
    """One statement of an identity's policy. ``inverted`` are NotAction and NotResource."""

    policy: str
    sid: str
    effect: Literal["Allow", "Deny"]
    actions: tuple[str, ...]
    inverted_actions: bool
    resources: tuple[str, ...]
    inverted_resources: bool
    conditions: tuple[Condition, ...]

    @property
    def label(self) -> str:
        """Return what names the statement to a person."""
        return f"{self.policy}, {self.sid}" if self.sid else self.policy

    def covers_action(self, action: str) -> bool:
        """Return whether the statement is about ``action``; case does not count."""
        found = any(matches(each, action, {}, ignore_case=True) for each in self.actions)
        return found != self.inverted_actions

    def covers(self, action: str, resource: str, context: Context) -> bool:
        """Return whether the statement applies to the request."""
        if not self.covers_action(action):
            return False
        if not self._is_about(resource, context):
            return False
        return all(
            # what is in doubt denies, and does not allow
            condition.holds(context, unresolved=self.effect == "Deny")
            for condition in self.conditions
        )

    def _is_about(self, resource: str, context: Context) -> bool:
        is_missing = False
        for pattern in self.resources:
            try:
                if matches_arn(pattern, resource, context):
                    return not self.inverted_resources
            except Unresolved:
                # names nothing; whether NotResource then covers everything is not documented
                is_missing = True
        return self.inverted_resources and (self.effect == "Deny" or not is_missing)

    def condition_keys(self) -> set[str]:
        """Return the condition keys that it reads, in lower case."""
        texts = [*self.resources, *(value for each in self.conditions for value in each.values)]
        return {each.key.lower() for each in self.conditions} | {
            name for text in texts for name in variables(text)
        }


def parse_policy(name: str, document: Any, where: str) -> list[Statement]:
    """Return the statements of the policy ``name``.

    Raises:
        SlipwayError: something of it is unknown, missing or of the wrong kind.
    """
    try:
        if not isinstance(document, Mapping):
            raise ValueError("the document is no object")
        unknown = sorted(set(document) - {"Version", "Id", "Statement"})
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)}")
        version = str(document.get("Version", VERSIONS[1]))
        if version not in VERSIONS:
            raise ValueError(f"Version is {version!r}, not one of {', '.join(VERSIONS)}")
        statements = document.get("Statement")
        statements = [statements] if isinstance(statements, Mapping) else statements
        if not isinstance(statements, Sequence) or isinstance(statements, str) or not statements:
            raise ValueError("Statement is missing")
        return [_statement(name, each, version) for each in statements]
    except ValueError as error:
        raise SlipwayError(f"policy {name}: {error}", where=where, fix=FIX) from error


def _statement(policy: str, value: Any, version: str) -> Statement:
    if not isinstance(value, Mapping):
        raise ValueError(f"a statement is {value!r:.80}, and no object")
    sid = str(value.get("Sid", ""))
    at = f"statement {sid}" if sid else "a statement"
    unknown = sorted(set(value) - KEYS)
    if unknown:
        raise ValueError(f"{at} has {', '.join(unknown)}, which no identity's policy has")
    effect = value.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise ValueError(f"{at}: Effect is {effect!r}, not Allow or Deny")
    actions, inverted_actions = _either(value, "Action", at)
    resources, inverted_resources = _either(value, "Resource", at)
    for action in actions:
        if action != "*" and action.count(":") != 1:
            raise ValueError(f"{at}: {action!r} is no action, such as sagemaker:InvokeEndpoint")
    for resource in resources:
        if resource != "*" and not resource.startswith(("arn:", "*", "?", "${")):
            raise ValueError(f"{at}: {resource!r} is no ARN")
    parsed = tuple(_conditions(value.get("Condition", {}), at))
    statement = Statement(
        policy,
        sid,
        "Allow" if effect == "Allow" else "Deny",
        actions,
        inverted_actions,
        resources,
        inverted_resources,
        parsed,
    )
    if version == VERSIONS[1] and any("${" in text for text in _texts(statement)):
        raise ValueError(f"{at}: variables need Version {VERSIONS[0]}")
    return statement


def _texts(statement: Statement) -> list[str]:
    values = [value for each in statement.conditions for value in each.values]
    return [*statement.resources, *values]


def _either(value: Mapping[str, Any], name: str, at: str) -> tuple[tuple[str, ...], bool]:
    found = [key for key in (name, f"Not{name}") if key in value]
    if len(found) != 1:
        raise ValueError(f"{at} needs one of {name} and Not{name}")
    texts = _strings(value[found[0]], f"{at}: {found[0]}")
    if not texts:
        raise ValueError(f"{at}: {found[0]} is empty")
    return texts, found[0] != name


def _conditions(value: Any, at: str) -> Iterable[Condition]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{at}: Condition is {value!r:.80}, and no object")
    for operator, keys in value.items():
        if not isinstance(keys, Mapping):
            raise ValueError(f"{at}: {operator} is {keys!r:.80}, and no object")
        for key, values in keys.items():
            texts = _strings(values, f"{at}: {operator} of {key}")
            try:
                yield conditions.parse(str(operator), str(key), texts)
            except ValueError as error:
                raise ValueError(f"{at}: {error}") from error


def _strings(value: Any, what: str) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    texts = []
    for each in values:
        if isinstance(each, bool):
            texts.append(str(each).lower())
        elif isinstance(each, str | int | float):
            texts.append(str(each))
        else:
            raise ValueError(f"{what} is {each!r:.80}, and no text")
    return tuple(texts)
