"""The changes in a change set, in a readable form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

RETAINING_POLICIES = {"Retain", "RetainExceptOnCreate"}


@dataclass(frozen=True)
class PropertyChange:
    """One changed property; ``before`` and ``after`` where CloudFormation reports them.

    ``forces`` is set if the change replaces the resource.
    """

    name: str
    before: str | None
    after: str | None
    forces: bool


@dataclass(frozen=True)
class ResourceChange:
    """``action`` is add, modify, replace, may replace, remove, leave (removed from the stack,
    retained in AWS) or import."""

    action: str
    resource: str
    kind: str
    properties: tuple[PropertyChange, ...] = ()

    @property
    def is_destructive(self) -> bool:
        """Return whether an existing resource would be deleted."""
        return self.action in ("replace", "may replace", "remove")


def parse_changes(descriptions: Iterable[Mapping[str, Any]]) -> list[ResourceChange]:
    """Return the ``Changes`` of DescribeChangeSet, destructive ones first."""
    changes = [_change(d["ResourceChange"]) for d in descriptions if "ResourceChange" in d]
    return sorted(
        changes, key=lambda change: (not change.is_destructive, change.action, change.resource)
    )


def _change(description: Mapping[str, Any]) -> ResourceChange:
    action = str(description["Action"]).lower()
    replacement = description.get("Replacement")
    if action in ("modify", "dynamic"):
        # "Conditional": the result depends on a value that another resource gets during deployment
        words = {"True": "replace", "Conditional": "may replace"}
        action = words.get(str(replacement), "modify")
    elif action == "remove" and description.get("PolicyAction") in RETAINING_POLICIES:
        action = "leave"
    properties: dict[str, PropertyChange] = {}
    for detail in description.get("Details", ()):
        target = detail.get("Target", {})
        name = target.get("Path", "").removeprefix("/Properties/").replace("/", ".")
        name = name or target.get("Name") or target.get("Attribute", "")
        # a property is listed once for each cause of its change
        old = properties.get(name)
        properties[name] = PropertyChange(
            name,
            target.get("BeforeValue") or (old.before if old else None),
            target.get("AfterValue") or (old.after if old else None),
            target.get("RequiresRecreation") == "Always" or bool(old and old.forces),
        )
    return ResourceChange(
        action,
        description["LogicalResourceId"],
        description["ResourceType"],
        tuple(properties.values()),
    )
