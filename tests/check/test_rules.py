"""Each rule finds the mistake of its fixtures, at its place, and nothing else; sound models pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.check import RULES
from tests.check import fixture_repositories as repositories

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", repositories.names())
def test_a_mistake_is_found_at_its_place_and_nothing_else(name: str, tmp_path: Path) -> None:
    repositories.make(name, tmp_path)
    found = repositories.found(tmp_path)
    assert repositories.shown(found, tmp_path) == repositories.expected(name)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_has_a_fixture(rule: str) -> None:
    assert [name for name in repositories.names() if name.startswith(f"{rule}_")]


def test_the_good_repository_has_no_finding(tmp_path: Path) -> None:
    repositories.make("good", tmp_path)
    assert repositories.found(tmp_path) == []


def test_every_finding_says_how_to_mend_it(tmp_path: Path) -> None:
    for name in repositories.names():
        repositories.make(name, tmp_path / name)
        for finding in repositories.found(tmp_path / name):
            assert finding.what and finding.fix and finding.why
