"""docs/formats.md has a row for each format that Slipway brings, and no other."""

from __future__ import annotations

import re

from slipway.cli.develop.new import BACKENDS
from slipway.formats.registry import formats
from tests.docs.pages import DOCS, anchors

PAGE = DOCS / "formats.md"
ROW = re.compile(
    r"^\| `(?P<name>[\w-]+)` \| (?P<file>.+) \| (?P<backends>[\w, ]+) \| .*\]\(#(?P<traps>.+)\) \|$"
)


def rows() -> list[re.Match[str]]:
    """Return the rows of the page's table of formats."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [row for row in map(ROW.match, lines) if row]


def test_every_format_has_a_row() -> None:
    own = [form.name for form in formats() if type(form).__module__.startswith("slipway.formats.")]
    assert sorted(row["name"] for row in rows()) == sorted(own)


def test_a_row_names_backends_and_links_what_goes_wrong() -> None:
    for row in rows():
        assert set(row["backends"].split(", ")) <= set(BACKENDS), row["name"]
        assert row["traps"] in anchors(PAGE), row["name"]
