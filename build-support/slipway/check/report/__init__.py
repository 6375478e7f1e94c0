"""What a check found, as people and machines read it: text, JSON, GitLab's report, SARIF."""

from __future__ import annotations

from slipway.check.report import gitlab, json, sarif, text
from slipway.check.report.report import Report

FORMATS = {
    "text": text.render,
    "json": json.render,
    "gitlab": gitlab.render,
    "sarif": sarif.render,
}

__all__ = ["FORMATS", "Report", "rendered"]


def rendered(report: Report, format: str) -> str:
    """The report as ``format``, one of :data:`FORMATS`, with a newline at its end."""
    return FORMATS[format](report)
