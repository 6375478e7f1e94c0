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
    """Measure texts: characters, words, and the share of characters beyond ASCII."""
    return {
        "length": np.array([len(text) for text in texts], np.float64),
        "words": np.array([len(text.split()) for text in texts], np.float64),
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


def familiarity_of_reference(texts: Sequence[str], least: int) -> Array:
    """Return :func:`familiarity` of each text by the pairs of all others, so without its own.

    A text that several rows have is measured as it will be when it comes in: few different texts
    have few values, and one that was a little less here would lie in another bin there.
    """
    rows: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    own = {text: Counter(_pairs(text)) for text in set(texts)}
    for text in texts:
        counts.update(own[text])
        rows.update(own[text].keys())
    kept = count_pairs(texts, least)
    total = sum(kept.values()) + 1
    repeated = [text for text, number in Counter(texts).items() if number > 1]
    scores = {
        text: _without_own(pairs, counts, rows, least, kept, total) for text, pairs in own.items()
    }
    scores |= dict(zip(repeated, familiarity(repeated, kept).tolist(), strict=True))
    return np.array([scores[text] for text in texts], np.float64)


def _without_own(
    own: Counter[str],
    counts: Mapping[str, int],
    rows: Mapping[str, int],
    least: int,
    kept: Mapping[str, int],
    total: int,
) -> float:
    if not own:
        return math.nan
    rest = total - sum(number for pair, number in own.items() if pair in kept)
    bits = 0.0
    for pair in sorted(own):
        others = counts[pair] - own[pair]
        known = pair in kept and rows[pair] > least and others > 0
        bits += own[pair] * math.log2((others if known else 0.5) / max(1, rest))
    return float(f"{bits / own.total():.6g}")


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


def _beyond_ascii(text: str) -> float:
    if not text or text.isascii():
        return 0.0
    return float(f"{sum(ord(c) > 127 for c in text) / len(text):.5g}")
