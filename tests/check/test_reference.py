"""The rule reference matches the rules and their fixtures."""

from __future__ import annotations

import pytest

from slipway.check import RULES
from tests.check import reference

HINT = "write it again: PYTHONPATH=build-support:. python -m tests.check.reference"


def committed(name: str) -> str:
    path = reference.PAGES / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


@pytest.mark.parametrize("rule", sorted(RULES))
def test_the_page_of_a_rule_is_up_to_date(rule: str) -> None:
    assert committed(f"{rule}.md") == reference.page(rule), HINT


def test_the_index_is_up_to_date() -> None:
    assert committed(reference.INDEX) == reference.index(), HINT


def test_there_is_no_page_without_a_rule() -> None:
    names = {path.name for path in reference.PAGES.glob("*.md")}
    assert names == {reference.INDEX, *(f"{rule}.md" for rule in RULES)}, HINT
