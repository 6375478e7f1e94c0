"""Every mistake that can be found without a server: offline, and in a fraction of a second."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from slipway.check import ignore, rules
from slipway.check.finding import Edit, Finding, Mend, Move, Place, Remove
from slipway.check.rule import RULES, Rule
from slipway.check.subject import Repository, Subject
from slipway.settings import Settings

__all__ = [
    "RULES",
    "Edit",
    "Finding",
    "Mend",
    "Move",
    "Place",
    "Remove",
    "Rule",
    "check",
    "check_folder",
    "rules",
]


def check(folders: Iterable[Path], settings: Settings) -> list[Finding]:
    """Every finding in the model folders, in the order of their places."""
    repository = Repository(settings)
    return [found for folder in folders for found in check_folder(folder, repository)]


def check_folder(folder: Path, repository: Repository) -> list[Finding]:
    """Every finding in one model folder."""
    subject = Subject(folder, repository)
    found = {finding.key: finding for rule in RULES.values() for finding in rule.findings(subject)}
    left = ignore.apply(subject, list(found.values()))
    return sorted(left, key=lambda finding: finding.key)
