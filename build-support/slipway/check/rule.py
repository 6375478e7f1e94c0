"""Rules: a stable id, a name, a reason with its source, and the function that finds mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from slipway.check.finding import Finding, RuleHit, Severity
from slipway.check.model_under_check import ModelUnderCheck

# what a rule belongs to: what a server does with any repository; what Slipway asks of its own model
# folders, which `slipway adopt` does; what only a repository can lack that Slipway has not packed;
# what concerns the folders of models that a container of their own serves, and these alone
type Scope = Literal["server", "slipway", "foreign", "container"]
type Finder = Callable[[ModelUnderCheck], Iterable[RuleHit]]


@dataclass(frozen=True)
class Rule:
    """One rule. The meaning of ``id`` never changes.

    ``reason`` is one line about what happens otherwise, and ``source`` is where that is documented
    or was observed. ``scope`` is what it belongs to.
    """

    id: str
    name: str
    severity: Severity
    reason: str
    source: str
    find: Finder
    scope: Scope = "server"

    def concerns(self, model: ModelUnderCheck) -> bool:
        """Return whether the rule judges such a model."""
        if model.is_container or self.scope == "container":
            return model.is_container and self.scope == "container"
        return self.scope == "server" or (self.scope == "foreign") == model.is_foreign

    def findings(self, model: ModelUnderCheck) -> Iterator[Finding]:
        """Yield what the rule finds in a model folder."""
        for hit in self.find(model):
            yield Finding(
                self.id,
                self.name,
                self.severity,
                hit.location,
                hit.what,
                self.reason,
                hit.fix,
                hit.fixes,
            )


RULES: dict[str, Rule] = {}


def rule(
    id: str,
    name: str,
    *,
    reason: str,
    source: str,
    severity: Severity = "error",
    scope: Scope = "server",
) -> Callable[[Finder], Finder]:
    """Register the decorated function as the rule ``id``."""

    def register(find: Finder) -> Finder:
        assert id not in RULES, f"two rules are called {id}"
        RULES[id] = Rule(id, name, severity, reason, source, find, scope)
        return find

    return register
