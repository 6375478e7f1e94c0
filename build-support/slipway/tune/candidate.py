"""A candidate: what it changes in the configs of an artifact; and the knobs that there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

INSTANCES, THREADS, BATCHING = "instances", "threads", "batching"
PREFERRED, MAX_BATCH, PRECISION = "preferred", "max_batch", "precision"
NAMES = (THREADS, INSTANCES, BATCHING, PREFERRED, MAX_BATCH, PRECISION)
OFF = "off"  # of batching; its other values are the longest delay in a queue, in microseconds
AS_IT_IS = "as it is"  # of precision

type Value = int | str


class Change(NamedTuple):
    """The ``value`` that the knob ``name`` of one model in the artifact gets."""

    model: str
    name: str
    value: Value

    def __str__(self) -> str:
        return f"{self.model}: {describe_value(self.name, self.value)}"


type Candidate = tuple[Change, ...]
"""Changes, sorted; without any it is the config as it is."""

BASELINE: Candidate = ()


@dataclass(frozen=True)
class Knob:
    """What may be changed of a model: ``values``, of which the config has ``current``."""

    model: str
    name: str
    values: tuple[Value, ...]
    current: Value


@dataclass(frozen=True)
class Space:
    """All knobs of an artifact. ``left_out`` says what is not tried, and why."""

    knobs: tuple[Knob, ...]
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return how many combinations of values there are."""
        count = 1
        for knob in self.knobs:
            count *= len(knob.values)
        return count

    def value(self, candidate: Candidate, knob: Knob) -> Value:
        """Return the value of ``knob`` in a candidate."""
        return _chosen(candidate).get((knob.model, knob.name), knob.current)

    def with_value(self, candidate: Candidate, knob: Knob, value: Value) -> Candidate:
        """Return ``candidate`` with another value of a knob.

        A preferred size means nothing without a batcher, so that it goes with it.
        """
        values = _chosen(candidate) | {(knob.model, knob.name): value}
        current = {(each.model, each.name): each.current for each in self.knobs}
        for model, name in list(values):
            batching = values.get((model, BATCHING), current.get((model, BATCHING)))
            if name == PREFERRED and batching == OFF:
                del values[model, name]
        return tuple(
            sorted(
                (Change(*key, each) for key, each in values.items() if each != current[key]),
                key=lambda change: change[:2],
            )
        )

    def neighbours(self, candidate: Candidate, knob: Knob) -> list[Candidate]:
        """Return the candidates that differ from this one in ``knob`` alone."""
        others = [self.with_value(candidate, knob, value) for value in knob.values]
        return [each for each in dict.fromkeys(others) if each != candidate]

    def every(self) -> Iterator[Candidate]:
        """Yield every combination once, the config as it is first."""
        seen = {BASELINE: None}
        for knob in self.knobs:
            for candidate in list(seen):
                for value in knob.values:
                    seen.setdefault(self.with_value(candidate, knob, value))
        yield from seen

    def among[T](self, candidates: Mapping[Candidate, T]) -> dict[Candidate, T]:
        """Return those of ``candidates`` that are in this space: an earlier run's may not be."""
        allowed = {(knob.model, knob.name): knob.values for knob in self.knobs}
        return {
            candidate: value
            for candidate, value in candidates.items()
            if all(change.value in allowed.get(change[:2], ()) for change in candidate)
        }


def _chosen(candidate: Candidate) -> dict[tuple[str, str], Value]:
    return {(change.model, change.name): change.value for change in candidate}


def describe(candidate: Candidate) -> str:
    """Return a candidate's changes in words."""
    return "; ".join(map(str, candidate)) or "the config as it is"


def describe_value(name: str, value: Value) -> str:
    """Return one setting in words, such as ``2 threads``."""
    if name == BATCHING:
        if value == OFF:
            return "no dynamic batching"
        return "batches of what waits" if value == 0 else f"batches, waiting up to {value} µs"
    if name == THREADS:
        return "a thread a core" if value == 0 else f"{value} thread{'s' if value != 1 else ''}"
    if name == PREFERRED:
        return "no preferred batch" if value == 0 else f"preferred batch of {value}"
    if name == MAX_BATCH:
        return f"at most {value} in a batch"
    if name == PRECISION:
        return f"weights {value}"
    return f"{value} instance{'s' if value != 1 else ''}"


def as_json(candidate: Candidate) -> list[list[Value]]:
    """Return a candidate as JSON's values."""
    return [[change.model, change.name, change.value] for change in candidate]


def from_json(values: Sequence[Sequence[Any]]) -> Candidate:
    """Return the candidate of :func:`as_json`."""
    return tuple(Change(*change) for change in values)
