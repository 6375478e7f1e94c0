"""The documents: every link leads somewhere, every page is listed, sentences are short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT, anchors, links, page_id, prose, sentences, words

MOST_WORDS = 29
# words that are no longer in use, and what to write instead
OUTDATED = {
    r"anew": "again",
    r"begun": "started",
    r"beside": "next to, in parallel, compared with",
    r"goes on|gone on|going on": "continues",
    r"in its stead": "instead",
    r"mend(s|ed|ing)?": "fix",
    r"nobody": "no one, or say who is notified",
    r"of its own accord": "by itself",
    r"stands? for": "refers to, names",
    r"told": "notified, reported",
}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link}: no such file"
        assert target.is_relative_to(ROOT), f"{link}: outside of the repository"
        if anchor:
            assert anchor in anchors(target), f"{link}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_sentences_are_short(page: Path) -> None:
    long = [
        f"line {line}: {len(words(sentence))} words: {sentence}"
        for line, sentence in sentences(page)
        if len(words(sentence)) > MOST_WORDS
    ]
    assert not long, "\n".join(long)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_words_are_in_use_today(page: Path) -> None:
    for line, text in prose(page):
        for word, instead in OUTDATED.items():
            assert not re.search(rf"\b({word})\b", text), f"line {line}: {text} (write: {instead})"


def test_the_index_lists_every_page() -> None:
    listed = {(DOCS / link.partition("#")[0]).resolve() for link in links(DOCS / "README.md")}
    unlisted = [page.name for page in DOCS.glob("*.md") if page not in listed]
    assert unlisted == ["README.md"]
    assert {DOCS / "decisions/README.md", DOCS / "rules/README.md"} <= listed


def test_the_readme_leads_to_the_index() -> None:
    assert "docs/README.md" in set(links(ROOT / "README.md"))


def test_decisions_are_numbered_dated_and_listed() -> None:
    folder = DOCS / "decisions"
    listed = [link for link in links(folder / "README.md") if link.startswith("0")]
    files = sorted(path.name for path in folder.glob("0*.md"))
    assert listed == files
    numbers = [int(name[:4]) for name in files]
    assert len(set(numbers)) == len(numbers)
    for number, name in zip(numbers, files, strict=True):
        text = (folder / name).read_text(encoding="utf-8")
        assert text.startswith(f"# {number}. "), name
        assert re.search(r"^Date: \d{4}-\d\d-\d\d\. Status: \w+", text, re.MULTILINE), name
        headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], name


def test_every_picture_of_the_documents_is_shown_somewhere() -> None:
    shown = {(page.parent / link).resolve() for page in PAGES for link in links(page)}
    pictures = [*DOCS.glob("*.png"), *DOCS.glob("*.svg")]
    assert not [picture.name for picture in pictures if picture not in shown]
