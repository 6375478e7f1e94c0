"""Findings as one JSON object, documented in ``slipway check --help``."""

from __future__ import annotations

import json

from slipway.check.finding import Finding
from slipway.check.report.report import Report, from_here
from slipway.check.rule import RULES


def render(report: Report) -> str:
    """The object, indented."""
    content = {
        "models": len(report.by_model),
        "errors": report.count("error"),
        "warnings": report.count("warning"),
        "findings": [_finding(finding) for finding in report.findings],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "name": finding.name,
        "severity": finding.severity,
        "path": from_here(finding.place).file.as_posix(),
        "line": finding.place.line,
        "column": finding.place.column,
        "what": finding.what,
        "why": finding.why,
        "source": RULES[finding.rule].source,
        "fix": finding.fix,
        "mendable": bool(finding.mends),
    }
