"""What is measured of each answer, as values whose difference lies between -1 and 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from slipway.comparison.answer import Row
from slipway.comparison.traffic import Pair, Unit

Combine = Literal["difference", "sign"]
Read = Callable[[Unit], Sequence[Row]]


@dataclass(frozen=True)
class Outcome:
    """``value`` of one answer; two are combined as B - A, or as the sign of B - A.

    ``title`` says in words what grows. A difference's values lie between 0 and 1; those of an error
    are 1 - error / ``scale``.
    """

    title: str
    value: Callable[[Unit], float]
    combine: Combine = "difference"
    scale: float = 1.0
    is_error: bool = False

    def own(self, mean: float) -> float:
        """Return a release's own value from the mean of its values: its error, where it is one."""
        return (1 - mean) * self.scale if self.is_error else mean

    def of(self, a: Unit, b: Unit) -> float:
        """Return the combined value of an answer of each release, between -1 and 1."""
        difference = self.value(b) - self.value(a)
        if self.combine == "difference":
            return difference
        return 0.0 if math.isnan(difference) else float((difference > 0) - (difference < 0))


def accuracy() -> Outcome:
    """Return the share of rows whose answer equals the ground truth."""
    return Outcome("right answers", _correct)


def closer() -> Outcome:
    """Return who is closer to the ground truth: 1 where B is, -1 where A is."""
    return Outcome("closer to the ground truth", lambda unit: -_error(unit), "sign")


def error_within(largest: float) -> Outcome:
    """Return how small the mean absolute error is; beyond ``largest`` it counts as that."""
    return Outcome(
        "absolute error, less",
        lambda unit: 1 - min(_error(unit), largest) / largest,
        scale=largest,
        is_error=True,
    )


def share_among(labels: frozenset[str], title: str, read: Read) -> Outcome:
    """Return the share of rows whose label is one of ``labels``."""

    def share(unit: Unit) -> float:
        rows = read(unit)
        return sum(row in labels for row in rows) / len(rows) if rows else 0.0

    return Outcome(title, share)


def share_outside(labels: frozenset[str], title: str, read: Read) -> Outcome:
    """Return the share of rows whose label is none of ``labels``."""
    among = share_among(labels, title, read)
    return Outcome(title, lambda unit: 1 - among.value(unit) if read(unit) else 0.0)


def higher(title: str, read: Read) -> Outcome:
    """Return whose number is higher: 1 where B's is, -1 where A's is."""
    return Outcome(title, lambda unit: _mean(read(unit)), "sign")


def read_answer(unit: Unit) -> Sequence[Row]:
    """Return the rows of the answer."""
    return unit.rows


def read_input(name: str) -> Read:
    """Return how the rows of an input are read; none where it was left out."""
    return lambda unit: unit.inputs.get(name, ())


def pair_values(outcome: Outcome, pairs: Sequence[Pair]) -> list[float]:
    """Return the outcome of each pair."""
    return [outcome.of(pair.a, pair.b) for pair in pairs]


def block_values(
    outcome: Outcome, a: Sequence[Unit], b: Sequence[Unit], sizes: tuple[int, int]
) -> list[float]:
    """Return the outcome of blocks of ``sizes`` requests to each release, in the order of time.

    A block takes the latest requests that no other has, once there are enough of both: what moves
    both releases at a time cancels out. Which requests meet depends on no answer.
    """
    waiting: tuple[list[Unit], list[Unit]] = ([], [])
    values = []
    arrivals = [(unit.when, is_b, unit) for is_b, group in enumerate((a, b)) for unit in group]
    for _, is_b, unit in sorted(arrivals, key=lambda arrival: arrival[:2]):
        waiting[is_b].append(unit)
        if any(len(group) < size for group, size in zip(waiting, sizes, strict=True)):
            continue
        block = [group[-size:] for group, size in zip(waiting, sizes, strict=True)]
        for group, size in zip(waiting, sizes, strict=True):
            del group[-size:]
        combined = [outcome.of(one, other) for one in block[0] for other in block[1]]
        values.append(max(-1.0, min(1.0, sum(combined) / len(combined))))
    return values


def block_sizes(weights: tuple[float, float]) -> tuple[int, int]:
    """Return how many requests of each release make a block: the weights' nearest ratio to one."""
    a, b = weights
    return (max(1, round(a / b)), 1) if a >= b else (1, max(1, round(b / a)))


def _correct(unit: Unit) -> float:
    truth = unit.truth or ()
    return sum(row == right for row, right in zip(unit.rows, truth, strict=True)) / len(truth)


def _error(unit: Unit) -> float:
    truth = unit.truth or ()
    pairs = zip(unit.rows, truth, strict=True)
    return sum(abs(float(row) - float(right)) for row, right in pairs) / len(truth)


def _mean(rows: Sequence[Row]) -> float:
    return sum(map(float, rows)) / len(rows) if rows else math.nan
