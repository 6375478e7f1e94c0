"""A text: each word is a part, and is left out together with the space before it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from slipway.errors import SlipwayError
from slipway.explain.explanation import Kind, Part
from slipway.triton.datatypes import Array

# a word with its apostrophes; a sign of a script without spaces; other signs together
WORD = re.compile(r"[぀-ヿ㐀-鿿豈-﫿]|(?:(?![぀-ヿ㐀-鿿豈-﫿])\w)+(?:['’]\w+)*['’]?|[^\w\s]+")


@dataclass(frozen=True)
class Words:
    """A text in groups of words that follow each other."""

    input: str
    text: str
    spans: tuple[tuple[int, int], ...]
    row_tensors: Mapping[str, Array]
    statements: tuple[str, ...] = ()
    kind: Kind = "text"

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return a part for each group of words."""
        return tuple(
            Part(self.text[first:last], "", 0.0, place=(first, last)) for first, last in self.spans
        )

    @property
    def changes(self) -> Array:
        """Return that every word changes the text."""
        return np.ones((1, len(self.spans)), dtype=bool)

    def row(self, background: int, coalition: Array) -> Mapping[str, Array]:
        """Return the row with the words of ``coalition`` only."""
        tensor = np.empty(self.row_tensors[self.input].shape, dtype=object)
        tensor.flat[0] = self._kept(coalition).encode()
        return {**self.row_tensors, self.input: tensor}

    def _kept(self, coalition: Array) -> str:
        """Return the text without the words outside ``coalition``; words are never joined."""
        if coalition.all():
            return self.text
        pieces: list[str] = []
        end, gap = 0, False
        for (first, last), kept in zip(self.spans, coalition, strict=True):
            if kept:
                space = self.text[end:first]
                joined = gap and pieces and not space and pieces[-1][-1:].isalnum()
                pieces.append(" " if joined and self.text[first].isalnum() else space)
                pieces.append(self.text[first:last])
            gap = not kept
            end = last
        return "".join(pieces).strip()


def split_words(row: Mapping[str, Array], name: str, most: int) -> Words:
    """Return the text of the input ``name`` in at most ``most`` parts.

    Raises:
        SlipwayError: it is not UTF-8, or has no word.
    """
    content = row[name].ravel()[0]
    try:
        text = content.decode() if isinstance(content, bytes) else str(content)
    except UnicodeDecodeError as error:
        raise SlipwayError(
            f"{name} is neither a picture nor text in UTF-8: {error}",
            fix="a file of another kind cannot be taken apart: give a picture, or text",
        ) from error
    spans = [match.span() for match in WORD.finditer(text)]
    if not spans:
        raise SlipwayError(f"{name} has no word", fix="give a text with words")
    group = -(-len(spans) // max(1, most))
    grouped = [
        (spans[i][0], spans[min(i + group, len(spans)) - 1][1]) for i in range(0, len(spans), group)
    ]
    statements: tuple[str, ...] = ()
    if group > 1:
        statements = (f"{len(spans)} words are taken in groups of {group}; more --requests split"
        " them further",)  # fmt: skip
    return Words(name, text, tuple(grouped), row, statements)
