"""``# slipway: ignore=RULE reason``: silence one rule at one location, and nothing else."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.check.finding import Finding, Location
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import RULES
from slipway.triton import pbtxt
from slipway.unchanged import read_text

MARK = "slipway:"
IGNORE = re.compile(
    r"#\s*slipway:\s*ignore\b\s*=?\s*(?P<rules>SW\w*(?:\s*,\s*SW\w*)*)?(?P<reason>.*)", re.DOTALL
)
# the file types whose comments are read
CONFIG, PYTHON, POINTER = ".pbtxt", ".py", ".dvc"
# a comment of YAML and of requirements.txt follows a space, or begins the line
COMMENT = re.compile(r"(?:^|(?<=\s))#.*", re.MULTILINE)
# the rules about ignores themselves, which cannot be silenced
UNUSED, UNREASONED, UNKNOWN = "SW901", "SW902", "SW903"


@dataclass(frozen=True)
class Ignore:
    """One comment at ``location``, which silences ``rules`` in the lines ``first`` to ``last``.

    ``last`` is 0 if no line follows: then the comment applies to the file itself.
    """

    location: Location
    first: int
    last: int
    rules: tuple[str, ...]
    reason: str


def load_ignores(model: ModelUnderCheck) -> list[Ignore]:
    """Return the ignores of a model folder."""
    files = [
        path
        for path in model.files()
        if path.suffix in (CONFIG, PYTHON, POINTER) and path.is_file()
    ]
    if model.requirements.is_file() and not model.is_single_config:
        files.append(model.requirements)
    read = {config.path: config.text for config in model.configs.values()}
    if not model.is_single_config:
        read |= {file.path: file.text for group in model.modules.values() for file in group}
    # the text of one that is not UTF-8 is empty there
    return [
        ignore for file in files for ignore in _ignores(file, read.get(file) or read_text(file))
    ]


def apply_ignores(model: ModelUnderCheck, findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings that no ignore silences, and the findings about the ignores."""
    ignores = load_ignores(model)
    if not ignores:
        return list(findings)
    used: set[tuple[Location, str]] = set()
    remaining = []
    for finding in findings:
        silencers = [
            ignore for ignore in ignores if ignore.reason and _covers(ignore, finding, model)
        ]
        used |= {(ignore.location, finding.rule) for ignore in silencers}
        if not silencers:
            remaining.append(finding)
    for ignore in ignores:
        remaining += _findings_about(
            ignore, {rule for location, rule in used if location == ignore.location}
        )
    return remaining


def _ignores(file: Path, text: str) -> Iterator[Ignore]:
    if MARK not in text:
        return
    lines = text.split("\n")
    for number, column, comment in _comments(file.suffix, text):
        match = IGNORE.match(comment)
        if not match:
            continue
        rules = tuple(re.findall(r"\w+", match["rules"] or ""))
        location = Location(file, number, column)
        reason = match["reason"].strip(" \t\r:-–—")
        if lines[number - 1][: column - 1].strip():
            first = last = number
        else:
            first, last = _covered_lines(lines, number)
        yield Ignore(location, first, last, rules, reason)


def _comments(suffix: str, text: str) -> list[tuple[int, int, str]]:
    """Return line, column and text of each comment; a string that looks like one is not."""
    if suffix == PYTHON:
        import tokenize  # for the few files that have an ignore

        try:
            return [
                (token.start[0], token.start[1] + 1, token.string)
                for token in tokenize.generate_tokens(io.StringIO(text).readline)
                if token.type == tokenize.COMMENT
            ]
        except (tokenize.TokenError, SyntaxError):
            pass  # another rule reports its syntax
    if suffix == CONFIG:
        comments = [
            (token.start, token.text) for token in pbtxt.tokenise(text) if token.kind == "comment"
        ]
    else:
        comments = [(match.start(), match[0]) for match in COMMENT.finditer(text)]
    return [
        (text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at), comment)
        for at, comment in comments
    ]


def _covered_lines(lines: Sequence[str], number: int) -> tuple[int, int]:
    """Return the lines that a comment on its own line covers: up to the next line with content.

    At the head of a file it covers the first line as well, which is the location of findings
    without a line.
    """

    def is_empty(line: str) -> bool:
        return not line.strip() or line.strip().startswith("#")

    first = 1 if all(map(is_empty, lines[:number])) else number
    for following, line in enumerate(lines[number:], number + 1):
        if not is_empty(line):
            return first, following
    return first, 0


def _covers(ignore: Ignore, finding: Finding, model: ModelUnderCheck) -> bool:
    if finding.rule not in ignore.rules:
        return False
    location, commented = finding.location, ignore.location.file
    if location.file == commented:
        return location.line == 0 or ignore.first <= location.line <= ignore.last
    # files that cannot hold a comment are covered by a neighbour: a folder, a binary or a missing
    # file by the config, the lock by the requirements
    if location.file.suffix in (CONFIG, PYTHON, POINTER) and location.file.is_file():
        return False
    if commented == model.requirements:
        return location.file == model.lock
    return commented.suffix == CONFIG and (
        location.file.is_relative_to(commented.parent) or location.file == model.folder
    )


def _findings_about(ignore: Ignore, used: set[str]) -> Iterator[Finding]:
    if not ignore.rules:
        yield _finding(UNKNOWN, ignore, "it names no rule", "ignore=SW404 and the reason")
        return
    if not ignore.reason:
        yield _finding(UNREASONED, ignore, "it has no reason", "add the reason after the rule")
        return
    for rule in ignore.rules:
        if rule not in RULES:
            yield _finding(UNKNOWN, ignore, f"there is no rule {rule}", "slipway check --rules")
        elif rule not in used:
            yield _finding(UNUSED, ignore, f"{rule} finds nothing here", "remove the comment")


def _finding(rule: str, ignore: Ignore, what: str, fix: str) -> Finding:
    ignore_rule = RULES[rule]
    return Finding(
        rule,
        ignore_rule.name,
        ignore_rule.severity,
        ignore.location,
        f"this ignore silences nothing: {what}",
        ignore_rule.reason,
        fix,
    )
