"""What is left to do by hand after an adoption, each with its place and its rule's page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slipway.check import Finding

PAGES = "docs/rules"
# what is missing or unreadable makes these rules report the model's directory as well
FOLLOWING = {
    "SW321": ("SW121", "SW321", "SW322"),
    "SW201": ("SW105", "SW121", "SW201", "SW260"),
    "SW603": ("SW601", "SW602", "SW603", "SW606"),
}


@dataclass(frozen=True)
class Step:
    """One step by hand: ``what`` is missing or wrong, where, how to do it, and its rule if any.

    ``where`` is a path below the repository's root, with line and column where they are known.
    """

    folder: str
    what: str
    where: str
    fix: str
    rule: str | None = None

    @property
    def page(self) -> str | None:
        """Return the page of its rule."""
        return f"{PAGES}/{self.rule}.md" if self.rule else None

    def dump(self) -> dict[str, Any]:
        """Return the step as JSON values."""
        return {
            "folder": self.folder,
            "what": self.what,
            "where": self.where,
            "fix": self.fix,
            "rule": self.rule,
            "page": self.page,
        }


def steps_of_findings(findings: Iterable[Finding], folder: str) -> list[Step]:
    """Return a step for each error; a fault at one place that several rules see is one step."""
    steps: dict[tuple[object, ...], Step] = {}
    for finding in findings:
        if finding.severity == "error":
            key = (finding.location, finding.fix)
            step = Step(folder, finding.what, str(finding.location), finding.fix, finding.rule)
            steps.setdefault(key, step)
    return list(steps.values())


def not_covered(found: Iterable[Step], known: Iterable[Step]) -> list[Step]:
    """Return the steps of ``found`` that are not done with one of ``known``."""
    others = list(known)
    return [step for step in found if not any(_covers(other, step) for other in others)]


def _covers(known: Step, step: Step) -> bool:
    """Return whether a step is done with a known one: the same fault, or what follows from it."""
    if step.rule in FOLLOWING.get(known.rule or "", ()):
        place, wider = (Path(s.where.partition(":")[0]) for s in (known, step))
        return place.is_relative_to(wider)
    if (known.rule, step.rule) == ("SW522", "SW521"):
        return _quoted(known.what) == _quoted(step.what)  # the module, in whichever file
    return known.rule == step.rule and known.where.partition(":")[0] == step.where.partition(":")[0]


def _quoted(text: str) -> str:
    return (text.split("'") + [""])[1]


def shown_at(steps: Iterable[Step], temporary: Path, final: str) -> list[Step]:
    """Return the steps with the paths that the files have in the end."""

    def show(text: str) -> str:
        return text.replace(str(temporary), final)

    return [
        replace(step, what=show(step.what), where=show(step.where), fix=show(step.fix))
        for step in steps
    ]
