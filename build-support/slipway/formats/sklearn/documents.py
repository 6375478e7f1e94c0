"""Texts drawn from a vocabulary, made to show where tokenizers and lowercasing differ."""

from __future__ import annotations

import random
from collections.abc import Iterable

COUNT = 200
SEED = 20_261
# what tokenizers disagree about: letters alone, digits, joined words, accents, other scripts
ODD = (
    "I",
    "a",
    "x",
    "7",
    "2026",
    "snake_case",
    "don't",
    "so-so",
    "naïve",
    "ÉLAN",
    "Ünder",
    "привет",
)
JOINTS = (" ", " ", " ", " ", ", ", ". ", "-", "'", "/", "\n", "  ", " … ")


def sample_documents(vocabulary: Iterable[str]) -> tuple[str, ...]:
    """Return 200 texts of the vocabulary's words in mixed case, with odd words between them.

    Half of them are plain: words of the vocabulary, lower-case, a space between.
    """
    chance = random.Random(SEED)
    words = sorted({word for term in vocabulary for word in str(term).split()})
    words = [word for word in words if word] or list(ODD)
    return tuple(_document(chance, words, plain=n % 2 == 0) for n in range(COUNT))


def _document(chance: random.Random, words: list[str], plain: bool) -> str:
    chosen = [chance.choice(words) for _ in range(chance.randint(2, 24))]
    if plain:
        return " ".join(chosen)
    for _ in range(chance.randint(1, 4)):
        chosen.insert(chance.randint(0, len(chosen)), chance.choice(ODD))
    cased = [chance.choice((str.lower, str.lower, str.title, str.upper))(word) for word in chosen]
    return "".join(word + chance.choice(JOINTS) for word in cased).strip()
