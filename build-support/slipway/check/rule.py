"""Rules: a stable id, a name, a reason with its source, and the function that finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from slipway.check.finding import Finding, Found, Severity
from slipway.check.subject import Subject

type Finder = Callable[[Subject], Iterable[Found]]


@dataclass(frozen=True)
class Rule:
    """``id`` never changes its meaning; ``reason`` says in one line what happens otherwise, and
    ``source`` where that is written or was seen."""

    id: str
    name: str
    severity: Severity
    reason: str
    source: str
    find: Finder

    def findings(self, subject: Subject) -> Iterator[Finding]:
        """What the rule finds in a model folder."""
        for found in self.find(subject):
            yield Finding(
                self.id,
                self.name,
                self.severity,
                found.place,
                found.what,
                self.reason,
                found.fix,
                found.mends,
            )


RULES: dict[str, Rule] = {}


def rule(
    id: str, name: str, *, reason: str, source: str, severity: Severity = "error"
) -> Callable[[Finder], Finder]:
    """Register the function below as the rule ``id``."""

    def register(find: Finder) -> Finder:
        assert id not in RULES, f"two rules are called {id}"
        RULES[id] = Rule(id, name, severity, reason, source, find)
        return find

    return register
