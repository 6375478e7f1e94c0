"""What is compared with what, and the measures of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from slipway.comparison.measured import Measured
from slipway.comparison.outcomes import (
    Outcome,
    Read,
    block_sizes,
    block_values,
    higher,
    pair_values,
    share_among,
    share_outside,
)
from slipway.comparison.traffic import Pair, Unit

# pairs or blocks that choose the labels to watch, and are not counted for them
FIRST = 20
LABELS = 8


@dataclass(frozen=True)
class Matched:
    """Pairs of answers, or two ``groups`` of them in blocks of ``sizes`` requests."""

    pairs: Sequence[Pair] = ()
    groups: tuple[Sequence[Unit], Sequence[Unit]] | None = None
    sizes: tuple[int, int] = (1, 1)

    @property
    def count(self) -> int:
        """The number of pairs, or of blocks."""
        if self.groups is None:
            return len(self.pairs)
        return min(len(self.groups[0]) // self.sizes[0], len(self.groups[1]) // self.sizes[1])

    @property
    def requests_each(self) -> int:
        """The requests of a pair, which is one, or of a block."""
        return 1 if self.groups is None else sum(self.sizes)

    def sides(self) -> tuple[Sequence[Unit], Sequence[Unit]]:
        """Return the answers of each release."""
        if self.groups is not None:
            return self.groups
        return [pair.a for pair in self.pairs], [pair.b for pair in self.pairs]

    def values(self, outcome: Outcome) -> list[float]:
        """Return the outcome of each pair or block, between -1 and 1, in the order of time."""
        if self.groups is None:
            return pair_values(outcome, self.pairs)
        return block_values(outcome, *self.groups, self.sizes)


def split_series(a: Sequence[Unit], b: Sequence[Unit], weights: tuple[float, float]) -> Matched:
    """Return two groups in blocks that fit the ``weights`` by which requests were sent to them."""
    return Matched(groups=(a, b), sizes=block_sizes(weights))


def measure(series: Matched, outcome: Outcome, risk: float, *, skip: int = 0) -> Measured:
    """Return the measure of one outcome, without the first ``skip`` values."""
    own: list[float | None] = [None, None]
    if outcome.combine == "difference":
        means = [[outcome.value(unit) for unit in side] for side in series.sides()]
        own = [outcome.own(sum(side) / len(side)) if side else None for side in means]
    values = series.values(outcome)[skip:]
    return Measured(
        outcome.title,
        values,
        risk,
        own[0],
        own[1],
        scale=outcome.scale,
        is_error=outcome.is_error,
    )


def measure_distribution(
    series: Matched, of: str, read: Read, *, is_number: bool, risk: float
) -> list[Measured]:
    """Return how the distribution of rows differs: whose number is higher, or the share of each
    label. The measures divide ``risk`` among them.

    The labels to watch are those of the first answers; all others are one label together.
    """
    if is_number:
        return [measure(series, higher(f"{of} is higher", read), risk)]
    outcomes = _label_outcomes(series, of, read)
    return [measure(series, each, risk / len(outcomes), skip=FIRST) for each in outcomes]


def _label_outcomes(series: Matched, of: str, read: Read) -> list[Outcome]:
    first: Counter[str] = Counter()
    for side, size in zip(series.sides(), series.sizes, strict=True):
        for unit in side[: FIRST * size]:
            first.update(str(row) for row in read(unit))
    labels = [label for label, _ in sorted(first.items(), key=lambda i: (-i[1], i[0]))][:LABELS]
    outcomes = [share_among(frozenset([label]), f"{of} is {label}", read) for label in labels]
    return [*outcomes, share_outside(frozenset(labels), f"{of} is another", read)]
