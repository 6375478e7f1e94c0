"""``# slipway: ignore=RULE reason``: one finding silenced at one place, and no more."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.check.finding import Finding, Place
from slipway.check.rule import RULES
from slipway.check.subject import Subject
from slipway.triton import pbtxt

MARK = "slipway:"
IGNORE = re.compile(
    r"#\s*slipway:\s*ignore\b\s*=?\s*(?P<rules>SW\w*(?:\s*,\s*SW\w*)*)?(?P<reason>.*)", re.DOTALL
)
# the kinds of text whose comments are read
CONFIG, PYTHON, POINTER = ".pbtxt", ".py", ".dvc"
# a comment of YAML and of requirements.txt stands behind a space, or begins the line
COMMENT = re.compile(r"(?:^|(?<=\s))#.*", re.MULTILINE)
# the rules about ignores themselves, which no ignore silences
UNUSED, UNREASONED, UNKNOWN = "SW901", "SW902", "SW903"


@dataclass(frozen=True)
class Ignore:
    """One comment: it stands at ``place`` and silences ``rules`` in the lines ``first`` to ``last``.

    ``last`` is 0 where nothing follows: then it speaks of the file alone.
    """

    place: Place
    first: int
    last: int
    rules: tuple[str, ...]
    reason: str


def of(subject: Subject) -> list[Ignore]:
    """The ignores of a model folder."""
    files = [
        path
        for path in subject.files()
        if path.suffix in (CONFIG, PYTHON, POINTER) and path.is_file()
    ]
    if subject.requirements.is_file() and not subject.lone:
        files.append(subject.requirements)
    return [found for file in files for found in _ignores(file)]


def apply(subject: Subject, findings: Sequence[Finding]) -> list[Finding]:
    """The findings that no ignore silences, and those about the ignores."""
    ignores = of(subject)
    if not ignores:
        return list(findings)
    used: set[tuple[Place, str]] = set()
    left = []
    for finding in findings:
        silencers = [each for each in ignores if each.reason and _covers(each, finding, subject)]
        used |= {(each.place, finding.rule) for each in silencers}
        if not silencers:
            left.append(finding)
    for ignore in ignores:
        left += _about(ignore, {rule for place, rule in used if place == ignore.place})
    return left


def _ignores(file: Path) -> Iterator[Ignore]:
    text = file.read_text(encoding="utf-8", errors="replace")
    if MARK not in text:
        return
    lines = text.split("\n")
    for number, column, comment in _comments(file.suffix, text):
        found = IGNORE.match(comment)
        if not found:
            continue
        rules = tuple(re.findall(r"\w+", found["rules"] or ""))
        place = Place(file, number, column)
        reason = found["reason"].strip(" \t\r:-–—")
        if lines[number - 1][: column - 1].strip():
            first = last = number
        else:
            first, last = _reach(lines, number)
        yield Ignore(place, first, last, rules, reason)


def _comments(suffix: str, text: str) -> list[tuple[int, int, str]]:
    """Line, column and text of each comment; what looks like one in a string is none."""
    if suffix == PYTHON:
        import tokenize  # for the few files that have an ignore

        try:
            return [
                (token.start[0], token.start[1] + 1, token.string)
                for token in tokenize.generate_tokens(io.StringIO(text).readline)
                if token.type == tokenize.COMMENT
            ]
        except (tokenize.TokenError, SyntaxError):
            pass  # its syntax is a finding of its own
    if suffix == CONFIG:
        comments = [
            (token.start, token.text) for token in pbtxt.tokenise(text) if token.kind == "comment"
        ]
    else:
        comments = [(found.start(), found[0]) for found in COMMENT.finditer(text)]
    return [
        (text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at), comment)
        for at, comment in comments
    ]


def _reach(lines: Sequence[str], number: int) -> tuple[int, int]:
    """The lines that a comment on a line of its own speaks of: up to the next that says something.

    At the head of a file it speaks of the first line as well, where findings stand that have no
    line of their own.
    """

    def empty(line: str) -> bool:
        return not line.strip() or line.strip().startswith("#")

    first = 1 if all(map(empty, lines[:number])) else number
    for following, line in enumerate(lines[number:], number + 1):
        if not empty(line):
            return first, following
    return first, 0


def _covers(ignore: Ignore, finding: Finding, subject: Subject) -> bool:
    if finding.rule not in ignore.rules:
        return False
    place, commented = finding.place, ignore.place.file
    if place.file == commented:
        return place.line == 0 or ignore.first <= place.line <= ignore.last
    # what can hold no comment is spoken for by what lies beside it: a folder, a binary or a missing
    # file by the config, the lock by the requirements
    if place.file.suffix in (CONFIG, PYTHON, POINTER) and place.file.is_file():
        return False
    if commented == subject.requirements:
        return place.file == subject.lock
    return commented.suffix == CONFIG and (
        place.file.is_relative_to(commented.parent) or place.file == subject.folder
    )


def _about(ignore: Ignore, used: set[str]) -> Iterator[Finding]:
    if not ignore.rules:
        yield _finding(UNKNOWN, ignore, "it names no rule", "ignore=SW404 and the reason")
        return
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
