"""Every mistake that can be found without a server: offline, and in a fraction of a second."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from slipway.check import ignore, rules
from slipway.check.finding import Edit, Finding, Mend, Move, Place, Remove
from slipway.check.rule import RULES, Rule
from slipway.check.subject import Lone, Repository, Subject
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
    "check_config",
    "check_folder",
    "rules",
]

# the rules that need no more than one config
CONFIG_RULES = ("SW2", "SW107", "SW109")


def check(folders: Iterable[Path], settings: Settings) -> list[Finding]:
    """Every finding in the model folders, in the order of their places."""
    repository = Repository(settings)
    return [found for folder in folders for found in check_folder(folder, repository)]


def check_folder(folder: Path, repository: Repository) -> list[Finding]:
    """Every finding in one model folder."""
    return _findings(Subject(folder, repository), RULES.values())


def check_config(path: Path, settings: Settings) -> list[Finding]:
    """Every finding in one ``config.pbtxt`` alone, as if nothing lay beside it.

    It is judged as a server would that completes configs from their weights: what it leaves out is
    no mistake.
    """
    chosen = [rule for id, rule in RULES.items() if id.startswith(CONFIG_RULES)]
    return _findings(Lone(path, Repository(settings)), chosen)


def _findings(subject: Subject, chosen: Iterable[Rule]) -> list[Finding]:
    found = {finding.key: finding for rule in chosen for finding in rule.findings(subject)}
    return sorted(ignore.apply(subject, list(found.values())), key=lambda finding: finding.key)
