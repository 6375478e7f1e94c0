"""``# slipway: ignore=RULE reason``: one finding silenced at one place, and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.check.finding import Finding, Place
from slipway.check.rule import RULES
from slipway.check.subject import Subject

IGNORE = re.compile(r"#\s*slipway:\s*ignore=(?P<rules>[\w,]*)[ \t]*(?P<reason>[^\n]*)")
NAMES = ("requirements.txt",)
SUFFIXES = (".pbtxt", ".py", ".dvc")
# the rules about ignores themselves, which no ignore silences
UNUSED, UNREASONED, UNKNOWN = "SW901", "SW902", "SW903"


@dataclass(frozen=True)
class Ignore:
    """One comment: it stands at ``place`` and silences ``rules`` in line ``line``; 0: in the file."""

    place: Place
    line: int
    rules: tuple[str, ...]
    reason: str


def of(subject: Subject) -> list[Ignore]:
    """The ignores of a model folder."""
    files = [path for path in sorted(subject.folder.glob("*")) if path.name in NAMES]
    files += [path for path in subject.files() if path.suffix in SUFFIXES and path.is_file()]
    return [found for file in files for found in _ignores(file)]


def _ignores(file: Path) -> Iterator[Ignore]:
    text = file.read_text(encoding="utf-8", errors="replace")
    if "slipway:" not in text:
        return
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        found = IGNORE.search(line)
        if not found:
            continue
        rules = tuple(filter(None, found["rules"].split(",")))
        place = Place(file, number, found.start() + 1)
        applies = number if line[: found.start()].strip() else _next(lines, number)
        yield Ignore(place, applies, rules, found["reason"].strip())


def _next(lines: Sequence[str], number: int) -> int:
    """The line that a comment on a line of its own speaks of."""
    for following, line in enumerate(lines[number:], number + 1):
        if line.strip() and not line.strip().startswith("#"):
            return following
    return 0


def apply(subject: Subject, findings: Sequence[Finding]) -> list[Finding]:
    """The findings that no ignore silences, and those about the ignores."""
    ignores = of(subject)
    if not ignores:
        return list(findings)
    used: set[tuple[Place, str]] = set()
    left = []
    for finding in findings:
        for ignore in ignores:
            if finding.rule in ignore.rules and ignore.reason and _covers(ignore, finding):
                used.add((ignore.place, finding.rule))
                break
        else:
            left.append(finding)
    for ignore in ignores:
        left += _about(ignore, {rule for place, rule in used if place == ignore.place})
    return left


def _covers(ignore: Ignore, finding: Finding) -> bool:
    place = finding.place
    if place.file == ignore.place.file:
        return place.line in (0, ignore.line)
    # a folder or a binary file holds no comment: the config beside it speaks for it
    beside = ignore.place.file.suffix == ".pbtxt" and place.file.suffix not in SUFFIXES
    return beside and place.file.is_relative_to(ignore.place.file.parent)


def _about(ignore: Ignore, used: set[str]) -> Iterator[Finding]:
    if not ignore.rules:
        yield _finding(UNKNOWN, ignore, "it names no rule", "ignore=SW404 and the reason")
    if not ignore.reason:
        yield _finding(UNREASONED, ignore, "it gives no reason", "say why behind the rule")
        return
    for rule in ignore.rules:
        if rule not in RULES:
            yield _finding(UNKNOWN, ignore, f"there is no rule {rule}", "slipway check --rules")
        elif rule not in used:
            yield _finding(UNUSED, ignore, f"{rule} finds nothing here", "remove the comment")


def _finding(rule: str, ignore: Ignore, what: str, fix: str) -> Finding:
    about = RULES[rule]
    return Finding(
        rule,
        about.name,
        about.severity,
        ignore.place,
        f"this ignore silences nothing: {what}",
        about.reason,
        fix,
    )
