"""Findings for people: what, where and why, the line itself, and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from slipway.check.finding import Finding, Place
from slipway.check.report.report import Report, from_here
from slipway.check.rule import RULES

COLOURS = {"error": "red", "warning": "yellow"}
LONGEST = 160  # characters of a line that is still shown


def render(report: Report) -> str:
    """Each finding with its reason and its fix, then one line that counts them.

    Holds colours, as ANSI sequences; ``click.echo`` leaves them out where there is no terminal.
    """
    parts = ["\n".join(_finding(finding)) + "\n\n" for finding in report.findings]
    return "".join(parts) + summary(report) + "\n"


def summary(report: Report) -> str:
    """``3 errors, 1 warning in 2 of 14 models``"""
    models = _counted(len(report.by_model), "model")
    if not report.findings:
        return f"{models}, no mistakes"
    errors, warnings = report.count("error"), report.count("warning")
    counts = [
        click.style(_counted(number, name), fg=COLOURS[name], bold=True)
        for number, name in ((errors, "error"), (warnings, "warning"))
        if number
    ]
    concerned = sum(bool(found) for found in report.by_model.values())
    return f"{', '.join(counts)} in {concerned} of {models}"


def _finding(finding: Finding) -> Iterator[str]:
    place = click.style(f"{from_here(finding.place)}:", bold=True)
    kind = click.style(
        f"{finding.severity} {finding.rule}", fg=COLOURS[finding.severity], bold=True
    )
    yield f"{place} {kind} {finding.name}: {finding.what}"
    yield from _excerpt(finding.place)
    yield f"  {click.style('why:', dim=True)} {finding.why} ({RULES[finding.rule].source})"
    yield f"  {click.style('fix:', fg='green')} {finding.fix}"


def _excerpt(place: Place) -> Iterator[str]:
    """The line at a place, and a mark below the column."""
    line = _line(place.file, place.line)
    if not line.strip() or len(line) > LONGEST:
        return
    number = str(place.line)
    yield f"  {number} | {line}"
    if place.column:
        # tabs stay, so that the mark stands right however wide they are
        indent = re.sub(r"[^\t]", " ", line[: place.column - 1])
        yield f"  {' ' * len(number)} | {indent}^"


def _line(file: Path, number: int) -> str:
    if not number or not file.is_file():
        return ""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[number - 1].rstrip() if number <= len(lines) else ""


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
