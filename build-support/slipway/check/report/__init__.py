"""What a check found, as people and machines read it: text, JSON, GitLab's report, SARIF."""

from slipway.check.report.report import FORMATS, Report, rendered

__all__ = ["FORMATS", "Report", "rendered"]
