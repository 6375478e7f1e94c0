"""Whether a role of an environment may do something, by the policies of its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.endpoint.access.iam.decision import Decision, decide, keys_read
from slipway.endpoint.access.principal import Principal
from slipway.errors import SlipwayError
from slipway.infra.environment import load_environment
from slipway.infra.roles import ACCOUNT, partition_of, read_roles
from slipway.settings import Settings

REGION = "us-east-1"  # of an environment that leaves it to AWS's configuration


@dataclass(frozen=True)
class Answer:
    """The verdict, of whom and about what, and what it does not know."""

    principal: Principal
    action: str
    resource: str
    decision: Decision
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return the answer for a terminal."""
        verdict = "may" if self.decision.allowed else "may not"
        lines = [f"{self.principal.name} {verdict} {self.action} on {self.resource}"]
        statement = self.decision.statement
        if statement:
            lines.append(f"  {statement.effect} by {statement.label}")
        else:
            lines.append("  no statement allows it")
        return lines + [f"  note: {note}" for note in self.notes]

    def as_json(self) -> dict[str, Any]:
        """Return the answer for machines."""
        statement = self.decision.statement
        return {
            "role": self.principal.name,
            "action": self.action,
            "resource": self.resource,
            "allowed": self.decision.allowed,
            "statement": statement and {"effect": statement.effect, "label": statement.label},
            "notes": list(self.notes),
        }


def parse_keys(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return condition keys with their values from texts ``KEY=VALUE``; a repeated key has several.

    Raises:
        SlipwayError: a text is something else.
    """
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or ":" not in key:
            raise SlipwayError(
                f"{text!r} is no condition key with a value", fix="aws:SourceIp=192.0.2.1"
            )
        found[key] = (*found.get(key, ()), value)
    return found


def ask(
    settings: Settings,
    environment: str,
    role: str,
    action: str,
    resource: str | None,
    keys: Mapping[str, tuple[str, ...]],
) -> Answer:
    """Return whether the ``role`` of an environment may do ``action`` on the ARN ``resource``.

    Raises:
        SlipwayError: there is no such role, the action or the ARN is none, or a policy cannot be
            evaluated.
    """
    loaded = load_environment(settings, environment, to_deploy=False)
    region = loaded.region or REGION
    roles = read_roles(loaded, region)
    principal = roles.find(role)
    service, colon, operation = action.partition(":")
    if not (colon and service.isascii() and service and operation.isalnum()):
        raise SlipwayError(
            f"{action!r} is no action", fix="SERVICE:Operation, such as sagemaker:InvokeEndpoint"
        )
    if resource is None:
        if service != "sagemaker" or roles.endpoint is None:
            raise SlipwayError(
                f"{action} is about a resource that was not named", fix="add --resource ARN"
            )
        resource = (
            f"arn:{partition_of(region)}:sagemaker:{region}:{ACCOUNT}:endpoint/{roles.endpoint}"
        )
    elif resource != "*" and resource.count(":") < 5:
        raise SlipwayError(
            f"{resource!r} is no ARN", fix=f"arn:aws:s3:::bucket/key; the account is {ACCOUNT} here"
        )
    context = {key.lower(): values for key, values in keys.items()}
    decision = decide(principal.statements, action, resource, context)
    notes = []
    unset = sorted(keys_read(principal.statements, action) - set(context))
    if unset:
        notes.append(f"not given, though a statement reads it: {', '.join(unset)}")
    if service in roles.resource_policies:
        notes.append(f"AWS asks the {service} resource's own policy, too; it is not evaluated here")
    return Answer(principal, action, resource, decision, tuple(notes))
