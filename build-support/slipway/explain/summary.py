"""What a model's answers rest on in general: the mean contribution of each part over many rows."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.explain.explanation import Explanation, Kind

# of the mean, at 95 %
Z = 1.96
FEWEST_OF_WORD = 2  # rows that have a word, for the word to be listed


@dataclass(frozen=True)
class PartSummary:
    """A column or a word over the rows that have it.

    ``mean_size`` is the mean of the contributions' sizes, whatever their sign; ``low`` and
    ``high`` its 95 % interval over rows. ``mean`` keeps the sign.
    """

    name: str
    rows: int
    mean_size: float
    low: float
    high: float
    mean: float


@dataclass(frozen=True)
class Summary:
    """The parts by the size of their contribution, the largest first.

    ``left_out`` says which rows could not be explained, and why.
    """

    kind: Kind
    score: str
    explained: int
    parts: tuple[PartSummary, ...]
    rows: int
    requests: int
    seed: int
    left_out: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()

    def dump(self) -> dict[str, Any]:
        """Return the summary as JSON values; equal for equal rows and seeds."""
        return asdict(self)


def summarize(explanations: Sequence[Explanation], left_out: Sequence[str] = ()) -> Summary:
    """Return the summary of explanations of rows or texts.

    Raises:
        SlipwayError: there are none, or they are of pictures or recordings.
    """
    if not explanations:
        raise SlipwayError(
            "no row could be explained: " + ("; ".join(left_out[:3]) or "there is none"),
            fix="explain one of them with slipway explain NAME to see why",
        )
    kinds = {explanation.kind for explanation in explanations}
    if not kinds <= {"row"} and not kinds <= {"text"}:
        raise SlipwayError(
            "a summary is of rows or texts: regions of different pictures show different things",
            fix="explain them one by one, with --output for each",
        )
    kind = explanations[0].kind
    by_name: dict[str, list[float]] = defaultdict(list)
    for explanation in explanations:
        summed: dict[str, float] = defaultdict(float)
        for part in explanation.parts:
            summed[part.name.lower() if kind == "text" else part.name] += part.contribution
        for name, contribution in summed.items():
            by_name[name].append(contribution)
    fewest = min(FEWEST_OF_WORD, len(explanations)) if kind == "text" else 1
    parts = [_summarized(name, found) for name, found in by_name.items() if len(found) >= fewest]
    parts.sort(key=lambda part: (-part.mean_size, part.name))
    counted = Counter(s for each in explanations for s in each.statements)
    # what is said of one row, such as its own number, is no statement about all
    most = [s for s, count in counted.items() if count > len(explanations) // 2]
    statements = dict.fromkeys(most)
    if len(by_name) > len(parts):
        statements[f"{len(by_name) - len(parts)} words of a single text are not listed"] = None
    scores = sorted({explanation.score for explanation in explanations})
    return Summary(
        kind=kind,
        score=scores[0] if len(scores) == 1 else "the winning label's score",
        explained=len(explanations),
        parts=tuple(parts),
        rows=sum(explanation.rows for explanation in explanations),
        requests=sum(explanation.requests for explanation in explanations),
        seed=explanations[0].seed,
        left_out=tuple(left_out),
        statements=tuple(statements),
    )


def _summarized(name: str, contributions: Sequence[float]) -> PartSummary:
    sizes = np.abs(np.array(contributions))
    mean = float(sizes.mean())
    half = Z * float(sizes.std(ddof=1)) / math.sqrt(len(sizes)) if len(sizes) > 1 else math.nan
    low, high = (max(0.0, mean - half), mean + half) if half == half else (0.0, mean)
    return PartSummary(name, len(sizes), mean, low, high, float(np.mean(contributions)))
