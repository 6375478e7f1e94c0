"""What a change set would do, as people read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

KEPT = {"Retain", "RetainExceptOnCreate"}


@dataclass(frozen=True)
class Property:
    """One changed property; ``before`` and ``after`` where CloudFormation tells them, ``forces`` if
    its change makes a new resource instead of changing the old one."""

    name: str
    before: str | None
    after: str | None
    forces: bool


@dataclass(frozen=True)
class Change:
    """``action`` is add, modify, replace, may replace, remove, leave (out of the stack, kept in AWS)
    or import."""

    action: str
    resource: str
    kind: str
    properties: tuple[Property, ...] = ()

    @property
    def is_harsh(self) -> bool:
        """Whether something that exists would go."""
        return self.action in ("replace", "may replace", "remove")


def read(said: Iterable[Mapping[str, Any]]) -> list[Change]:
    """From the ``Changes`` of DescribeChangeSet; what takes something away comes first."""
    found = [_change(each["ResourceChange"]) for each in said if "ResourceChange" in each]
    return sorted(found, key=lambda change: (not change.is_harsh, change.action, change.resource))


def _change(said: Mapping[str, Any]) -> Change:
    action = str(said["Action"]).lower()
    replacement = said.get("Replacement")
    if action in ("modify", "dynamic"):
        # "Conditional": CloudFormation does not know before it runs, because it hangs on a value
        # that another resource will have
        words = {"True": "replace", "Conditional": "may replace"}
        action = words.get(str(replacement), "modify")
    elif action == "remove" and said.get("PolicyAction") in KEPT:
        action = "leave"
    properties: dict[str, Property] = {}
    for detail in said.get("Details", ()):
        target = detail.get("Target", {})
        name = target.get("Path", "").removeprefix("/Properties/").replace("/", ".")
        name = name or target.get("Name") or target.get("Attribute", "")
        # the same property is named once for each cause
        old = properties.get(name)
        properties[name] = Property(
            name,
            target.get("BeforeValue") or (old.before if old else None),
            target.get("AfterValue") or (old.after if old else None),
            target.get("RequiresRecreation") == "Always" or bool(old and old.forces),
        )
    return Change(
        action, said["LogicalResourceId"], said["ResourceType"], tuple(properties.values())
    )
