"""What is measured of a text: its length, its alphabet, and how usual its pairs of letters are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from slipway.triton.datatypes import Array

PAIRS = 500  # the most frequent ones, which are kept
LONGEST = 2_000  # characters of a text that are looked at for its pairs
FAMILIARITY = "familiarity"


def decode(value: object) -> str:
    """Return the text of an element; bytes that are not UTF-8 have replacement characters."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return "" if value is None else str(value)


def measure_texts(texts: Sequence[str]) -> dict[str, Array]:
    """Measure texts: characters, words, shares of capitals and of characters beyond ASCII."""
    return {
        "length": np.array([len(text) for text in texts], np.float64),
        "words": np.array([len(text.split()) for text in texts], np.float64),
        "capitals": np.array([_capitals(text) for text in texts], np.float64),
        "beyond_ascii": np.array([_beyond_ascii(text) for text in texts], np.float64),
    }


def count_pairs(texts: Sequence[str], least: int) -> dict[str, int]:
    """Count the pairs of letters of texts; a pair is kept if it is in at least ``least`` rows."""
    rows: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for text in texts:
        pairs = _pairs(text)
        counts.update(pairs)
        rows.update(set(pairs))
    kept = [pair for pair, number in rows.items() if number >= least]
    kept.sort(key=lambda pair: (-counts[pair], pair))
    return {pair: counts[pair] for pair in kept[:PAIRS]}


def familiarity(texts: Sequence[str], pairs: Mapping[str, int]) -> Array:
    """Return the mean log2 probability of each text's pairs; NaN for a text without any.

    A pair that the reference does not name counts as half an occurrence.
    """
    total = sum(pairs.values()) + 1
    bits = {pair: math.log2(count / total) for pair, count in pairs.items()}
    rare = math.log2(0.5 / total)
    cache: dict[str, float] = {}
    return np.array([_familiarity(text, bits, rare, cache) for text in texts], np.float64)


def _familiarity(
    text: str, bits: Mapping[str, float], rare: float, cache: dict[str, float]
) -> float:
    if text not in cache:
        found = _pairs(text)
        mean = sum(bits.get(pair, rare) for pair in found) / len(found) if found else math.nan
        cache[text] = float(f"{mean:.6g}")
    return cache[text]


def _pairs(text: str) -> list[str]:
    """Return pairs of neighbouring characters within words, in lower case; digits are all 0."""
    plain = "".join("0" if c.isdigit() else c for c in text[:LONGEST].lower() if c.isprintable())
    return [a + b for word in plain.split() for a, b in zip(f" {word}", f"{word} ", strict=True)]


def _capitals(text: str) -> float:
    return float(f"{sum(map(str.isupper, text)) / max(1, len(text)):.5g}")


def _beyond_ascii(text: str) -> float:
    if not text or text.isascii():
        return 0.0
    return float(f"{sum(ord(c) > 127 for c in text) / len(text):.5g}")
