"""The documents of this repository, read as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
# docs/rules is generated from the rules, and tests/check compares it with them
PAGES = (
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY", "CHANGELOG")),
    *sorted(DOCS.glob("*.md")),
    *sorted((DOCS / "decisions").glob("*.md")),
)
_MARKDOWN = MarkdownIt("commonmark").enable("table")


def page_id(page: Path) -> str:
    """Return the name of a page as a test's id: its path in the repository."""
    return page.relative_to(ROOT).as_posix()


def tokens(page: Path) -> list[Token]:
    """Return the Markdown tokens of a page, in their order."""
    return _MARKDOWN.parse(page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[str]:
    """Yield the target of each link and picture of a page that stays in this repository."""
    for token in tokens(page):
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if isinstance(target, str) and not re.match(r"\w+:", target):
                yield target
        if token.type == "html_block":
            yield from re.findall(r'(?:src|href)="([^":]+)"', token.content)


def anchors(page: Path) -> set[str]:
    """Return the anchors that a repository host gives the headings of a page."""
    return {
        re.sub(r"[^\w\- ]", "", _text(inline).lower()).replace(" ", "-")
        for heading, inline in pairwise(tokens(page))
        if heading.type == "heading_open"
    }


def sentences(page: Path) -> Iterator[tuple[int, str]]:
    """Yield the sentences of a page with their lines; without headings, tables and code blocks."""
    skip = 0
    for token in tokens(page):
        if token.type in {"table_open", "heading_open"}:
            skip += 1
        elif token.type in {"table_close", "heading_close"}:
            skip -= 1
        elif token.type == "inline" and not skip:
            line = token.map[0] + 1 if token.map else 0
            for sentence in re.split(r"(?<=[.!?])[\"”)*]*\s+", _text(token)):
                yield line, sentence


def prose(page: Path) -> Iterator[tuple[int, str]]:
    """Yield the text of each heading, paragraph and table cell with its line, without code."""
    for token in tokens(page):
        if token.type == "inline":
            parts = [child.content for child in token.children or () if child.type == "text"]
            yield (token.map[0] + 1 if token.map else 0), " ".join(parts)


def words(sentence: str) -> list[str]:
    """Return the words of a sentence; what has no letter or digit is no word."""
    return [word for word in sentence.split() if re.search(r"\w", word)]


def code(page: Path) -> Iterator[str]:
    """Yield what a page shows as code: its blocks, and the code in its sentences and tables."""
    for token in tokens(page):
        if token.type in {"fence", "code_block"}:
            yield token.content
        for child in token.children or ():
            if child.type == "code_inline":
                yield child.content


def _text(inline: Token) -> str:
    parts: list[str] = []
    for child in inline.children or ():
        if child.type in {"text", "code_inline"}:
            parts.append(child.content)
        elif child.type in {"softbreak", "hardbreak"}:
            parts.append(" ")
    return "".join(parts)
