"""What differs between answers to equal requests, and a few requests that show it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slipway.comparison.answer import Row, equal_rows
from slipway.comparison.report import Flip, Score
from slipway.comparison.traffic import Pair

FLIPS = 10
EXAMPLES = 3
NUMBERS = 5


def agreement(pairs: Sequence[Pair]) -> list[float]:
    """Return the share of rows that both releases answer equally, for each pair."""
    return [equal_rows(pair.a.rows, pair.b.rows) for pair in pairs]


def list_flips(pairs: Sequence[Pair], *, is_number: bool) -> tuple[Flip, ...]:
    """Return which labels turn into which, the most frequent first; of numbers, the requests where
    they are farthest apart."""
    if is_number:
        return _farthest(pairs)
    counts: dict[tuple[str, str], int] = {}
    examples: dict[tuple[str, str], list[str]] = {}
    for pair in pairs:
        if len(pair.a.rows) != len(pair.b.rows):
            rows = {(f"{len(pair.a.rows)} rows", f"{len(pair.b.rows)} rows"): 1}
        else:
            rows = _flips_of(pair.a.rows, pair.b.rows)
        for flip, count in rows.items():
            counts[flip] = counts.get(flip, 0) + count
            ids = examples.setdefault(flip, [])
            if len(ids) < EXAMPLES:
                ids.append(pair.a.event_id)
    ordered = sorted(counts, key=lambda flip: (-counts[flip], flip))
    return tuple(Flip(a, b, counts[a, b], tuple(examples[a, b])) for a, b in ordered[:FLIPS])


def count_only_right(pairs: Sequence[Pair]) -> tuple[int, int]:
    """Return how many requests only A, and only B, answers as the ground truth does."""
    right = [(pair.a.rows == pair.a.truth, pair.b.rows == pair.b.truth) for pair in pairs]
    return sum(a and not b for a, b in right), sum(b and not a for a, b in right)


def measure_scores(pairs: Sequence[Pair]) -> tuple[Score, ...]:
    """Return how the other outputs' numbers differ, where both have the same shape."""
    differences: dict[str, list[np.ndarray]] = {}  # type: ignore[type-arg]
    for pair in pairs:
        for name, a in pair.a.numbers.items():
            b = pair.b.numbers.get(name)
            if b is not None and a.shape == b.shape:
                difference = b.astype(np.float64) - a.astype(np.float64)
                differences.setdefault(name, []).append(difference.ravel())
    scores = []
    for name, arrays in differences.items():
        values = np.concatenate(arrays)
        values = values[np.isfinite(values)]
        if values.size:
            size = np.abs(values)
            scores.append(Score(name, float(values.mean()), float(size.mean()), float(size.max())))
    return tuple(scores)


def _flips_of(first: Sequence[Row], second: Sequence[Row]) -> dict[tuple[str, str], int]:
    flips: dict[tuple[str, str], int] = {}
    for a, b in zip(first, second, strict=True):
        if a != b:
            flips[str(a), str(b)] = flips.get((str(a), str(b)), 0) + 1
    return flips


def _farthest(pairs: Sequence[Pair]) -> tuple[Flip, ...]:
    rows = [
        (abs(float(b) - float(a)), float(a), float(b), pair.a.event_id)
        for pair in pairs
        if len(pair.a.rows) == len(pair.b.rows)
        for a, b in zip(pair.a.rows, pair.b.rows, strict=True)
    ]
    ordered = sorted((row for row in rows if row[0] > 0), key=lambda row: (-row[0], row[3]))
    return tuple(Flip(f"{a:g}", f"{b:g}", 1, (event,)) for _, a, b, event in ordered[:NUMBERS])
