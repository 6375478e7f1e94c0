"""Render findings as one JSON object, documented in ``slipway check --help``."""

from __future__ import annotations

import json

from slipway.check.finding import Finding
from slipway.check.report.report import CheckReport, relative_location


def render(report: CheckReport) -> str:
    """Return the object, indented."""
    content = {
        "models": len(report.by_model),
        "errors": report.count("error"),
        "warnings": report.count("warning"),
        "adopt": report.adopt,
        "findings": [_finding(finding) for finding in report.findings],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _finding(finding: Finding) -> dict[str, object]:
    from slipway.check import RULES  # a report without findings needs no rules

    return {
        "rule": finding.rule,
        "name": finding.name,
        "severity": finding.severity,
        "path": relative_location(finding.location).file.as_posix(),
        "line": finding.location.line,
        "column": finding.location.column,
        "what": finding.what,
        "why": finding.why,
        "source": RULES[finding.rule].source,
        "fix": finding.fix,
        "mendable": bool(finding.fixes),
    }
