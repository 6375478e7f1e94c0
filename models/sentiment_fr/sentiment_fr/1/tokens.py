"""Split a French text into words and marks, as the lexicon writes them."""

import re
import unicodedata
from collections.abc import Container, Iterator

from emoticons import EMOTICONS

SPELLINGS = str.maketrans({"’": "'", "ʼ": "'", "œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae"})
"""The lexicon writes « coeur », and every apostrophe straight."""

APART = re.compile("…|[«»“”„–—]")
"""Marks that French sets against words without a space, or whose spaces are missing."""

CHUNK = re.compile(r"([\W_]*)(.*?)([\W_]*)")
"""Marks, a word, marks."""

_FACES = "|".join(re.escape(face) for face in sorted(EMOTICONS, key=len, reverse=True))
MARK = re.compile(rf"\(!\)|\.\.\.|{_FACES}|.")
"""Irony, an ellipsis, a face, or one mark."""


def split(text: str, known: Container[str]) -> Iterator[str]:
    """Yield words and marks in lower case.

    An elided word keeps its apostrophe and stands alone (« n'est » → « n' », « est »), unless the
    whole is a known word (« chef-d'oeuvre »).
    """
    text = unicodedata.normalize("NFC", text).translate(SPELLINGS).lower()
    for chunk in APART.sub(lambda mark: f" {mark[0].replace('…', '...')} ", text).split():
        yield from _chunk(chunk, known)


def _chunk(chunk: str, known: Container[str]) -> Iterator[str]:
    face = next((face for face in (chunk, chunk.rstrip(".,!?")) if face in EMOTICONS), None)
    if face is not None:
        yield face
        yield from MARK.findall(chunk[len(face) :])
        return
    parts = CHUNK.fullmatch(chunk)
    assert parts is not None  # it matches every string without a line break
    before, word, after = parts.groups()
    if word and after.startswith("'") and f"{word}'" in known:
        word, after = f"{word}'", after[1:]
    yield from MARK.findall(before)
    yield from [word] if word in known else re.findall(r"[^']+'?|'", word)
    yield from MARK.findall(after)
