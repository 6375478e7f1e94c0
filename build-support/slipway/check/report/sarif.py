"""Render findings as SARIF, which code scanners and editors read.

The standard: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import slipway
from slipway.check.finding import Finding, Location
from slipway.check.report.report import CheckReport

if TYPE_CHECKING:
    from slipway.check.rule import Rule

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
ROOT = "%SRCROOT%"  # the checkout, wherever the reader has it


def render(report: CheckReport) -> str:
    """Return the report: one run, with every rule and every finding."""
    from slipway.check import RULES  # no other format needs them all

    rules = list(RULES.values())
    numbers = {rule.id: number for number, rule in enumerate(rules)}
    driver = {
        "name": "slipway",
        "semanticVersion": slipway.__version__,
        "rules": [_rule(rule) for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, report, numbers) for finding in report.findings],
    }
    content = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.name.replace("-", " ")},
        "fullDescription": {"text": rule.reason},
        "help": {"text": f"{rule.reason} ({rule.source}). More: slipway check --explain {rule.id}"},
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(finding: Finding, report: CheckReport, numbers: dict[str, int]) -> dict[str, object]:
    location: dict[str, object] = {
        "artifactLocation": {"uri": quote(report.path(finding)), "uriBaseId": ROOT}
    }
    if finding.location.line:
        location["region"] = _region(finding.location)
    return {
        "ruleId": finding.rule,
        "ruleIndex": numbers[finding.rule],
        "level": finding.severity,
        "message": {"text": f"{finding.what}\nfix: {finding.fix}"},
        "locations": [{"physicalLocation": location}],
    }


def _region(location: Location) -> dict[str, int]:
    region = {"startLine": location.line}
    return region | {"startColumn": location.column} if location.column else region
