"""Render findings for people: what, where and why, the line itself, and how to fix it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from slipway.check.finding import Finding, Location
from slipway.check.report.report import CheckReport, relative_location

COLOURS = {"error": "red", "warning": "yellow"}
LONGEST = 160  # characters; longer lines are not shown


def render(report: CheckReport) -> str:
    """Return each finding with its reason and its fix, then one line that counts them.

    The text has colours as ANSI sequences; ``click.echo`` removes them if there is no terminal.
    """
    parts = ["\n".join(_finding(finding)) + "\n\n" for finding in report.findings]
    return "".join(parts) + summary(report) + "\n"


def summary(report: CheckReport) -> str:
    """Return a line such as ``3 errors, 1 warning in 2 of 14 models``."""
    models = _quantity(len(report.by_model), "model")
    if not report.findings:
        return f"{models}, no mistakes"
    errors, warnings = report.count("error"), report.count("warning")
    counts = [
        click.style(_quantity(number, name), fg=COLOURS[name], bold=True)
        for number, name in ((errors, "error"), (warnings, "warning"))
        if number
    ]
    concerned = sum(bool(findings) for findings in report.by_model.values())
    return f"{', '.join(counts)} in {concerned} of {models}"


def _finding(finding: Finding) -> Iterator[str]:
    from slipway.check import RULES  # a report without findings needs no rules

    location = click.style(f"{relative_location(finding.location)}:", bold=True)
    kind = click.style(
        f"{finding.severity} {finding.rule}", fg=COLOURS[finding.severity], bold=True
    )
    yield f"{location} {kind} {finding.name}: {finding.what}"
    yield from _excerpt(finding.location)
    yield f"  {click.style('why:', dim=True)} {finding.why} ({RULES[finding.rule].source})"
    yield f"  {click.style('fix:', fg='green')} {finding.fix}"


def _excerpt(location: Location) -> Iterator[str]:
    """Yield the line at a location, and a mark below the column."""
    line = _line(location.file, location.line)
    if not line.strip() or len(line) > LONGEST:
        return
    number = str(location.line)
    yield f"  {number} | {line}"
    if location.column:
        # tabs stay, so that the mark is below its column whatever their width
        indent = re.sub(r"[^\t]", " ", line[: location.column - 1])
        yield f"  {' ' * len(number)} | {indent}^"


def _line(file: Path, number: int) -> str:
    if not number or not file.is_file():
        return ""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[number - 1].rstrip() if number <= len(lines) else ""


def _quantity(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
