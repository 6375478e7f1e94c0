"""Each rule finds exactly the mistake of its fixtures, at its location; valid models pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.check import RULES
from tests.check import fixture_repositories as repositories
from tests.check.reference import rule_file

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", repositories.names())
def test_a_mistake_is_found_at_its_location_with_its_fix_and_nothing_else(
    name: str, tmp_path: Path
) -> None:
    repositories.make(name, tmp_path)
    findings = repositories.find_all(tmp_path)
    assert repositories.format_findings(findings, tmp_path) == repositories.expected_findings(name)
    # each says how to fix it, too
    assert all(finding.what and finding.fix and finding.why for finding in findings)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_is_in_the_folder_of_its_hundred(rule: str) -> None:
    file = ROOT / rule_file(RULES[rule])
    assert file.parent.name.endswith(f"_{rule[2]}xx")
    assert f'"{rule}"' in file.read_text(encoding="utf-8") or rule.startswith("SW9")


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_has_a_fixture(rule: str) -> None:
    assert [name for name in repositories.names() if name.startswith(f"{rule}_")]


def test_the_good_repository_has_no_finding(tmp_path: Path) -> None:
    repositories.make("good", tmp_path)
    assert repositories.find_all(tmp_path) == []
