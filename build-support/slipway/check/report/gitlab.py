"""Render findings as GitLab's code quality report, which merge requests show.

The format: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter

from slipway.check.report.report import CheckReport

SEVERITIES = {"error": "major", "warning": "minor"}


def render(report: CheckReport) -> str:
    """Return the report, a JSON list.

    GitLab distinguishes new findings from old ones by their fingerprints. They stay the same when
    lines move, and equal findings of one file are numbered.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    entries = []
    for finding in report.findings:
        path = report.path(finding)
        key = (finding.rule, path, finding.what)
        seen[key] += 1
        fingerprint = hashlib.sha256("\0".join((*key, str(seen[key]))).encode()).hexdigest()
        entries.append(
            {
                "description": f"{finding.rule} {finding.what}. Fix: {finding.fix}",
                "check_name": f"{finding.rule} {finding.name}",
                "fingerprint": fingerprint,
                "severity": SEVERITIES[finding.severity],
                "location": {"path": path, "lines": {"begin": max(finding.location.line, 1)}},
            }
        )
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"
