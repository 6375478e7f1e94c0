"""Render findings for people and machines: text, JSON, GitLab's report, SARIF."""

from __future__ import annotations

from slipway.check.report import gitlab, json, sarif, text
from slipway.check.report.report import CheckReport

FORMATS = {
    "text": text.render,
    "json": json.render,
    "gitlab": gitlab.render,
    "sarif": sarif.render,
}

__all__ = ["FORMATS", "CheckReport", "render_report"]


def render_report(report: CheckReport, format: str) -> str:
    """Return the report in ``format``, one of :data:`FORMATS`, with a newline at its end."""
    return FORMATS[format](report)
