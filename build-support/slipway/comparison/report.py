"""The result of a comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from slipway.comparison.decision import Decision
from slipway.comparison.sample_ratio import SampleRatio
from slipway.comparison.sequence import Bounds
from slipway.comparison.traffic import Design


@dataclass(frozen=True)
class MeasureLine:
    """One measure: the releases' own values, if it has some, and the bounds of the difference B - A
    (of the share itself, for equal answers). ``count`` is of pairs, or of blocks of requests."""

    title: str
    a: float | None
    b: float | None
    bounds: Bounds
    count: int
    risk: float
    is_share: bool = True


@dataclass(frozen=True)
class Flip:
    """How often A answers ``a`` where B answers ``b``; ``event_ids`` are a few of them."""

    a: str
    b: str
    count: int
    event_ids: tuple[str, ...]


@dataclass(frozen=True)
class Score:
    """How numbers of an output differ, B - A, over the pairs' elements."""

    output: str
    mean: float
    mean_absolute: float
    largest: float


@dataclass(frozen=True)
class Look:
    """The bounds after so many pairs or blocks."""

    count: int
    bounds: Bounds


@dataclass(frozen=True)
class TrafficComparison:
    """Two releases ``a`` and ``b`` (target models) of ``name`` compared.

    ``requests`` are those to each release, ``compared`` those that the decision rests on.
    ``primary`` has the measures that decided, ``details`` others. ``more`` is about how many more
    requests a decision needs. ``not_worse``: B is not worse than A by more than the margin.
    ``path`` shows the first primary measure over time. ``only_right`` counts requests that only A,
    and only B, answers right. ``left_out`` counts what is not compared; ``notes`` limit the result.
    """

    name: str
    a: str
    b: str
    endpoint: str
    design: Design
    answer: str
    labelled: bool
    requests: tuple[int, int]
    compared: int
    since: datetime
    until: datetime
    risk: float
    margin: float
    decision: Decision
    more: int | None
    not_worse: bool | None
    primary: tuple[MeasureLine, ...]
    details: tuple[MeasureLine, ...] = ()
    flips: tuple[Flip, ...] = ()
    scores: tuple[Score, ...] = ()
    only_right: tuple[int, int] | None = None
    sample_ratio: SampleRatio | None = None
    path: tuple[Look, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    redacted: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def dump(self) -> dict[str, Any]:
        """Return JSON values; what is not a number is ``None``."""
        values = asdict(self) | {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "requests": {"a": self.requests[0], "b": self.requests[1]},
        }
        if self.sample_ratio is not None:
            values["sample_ratio"]["broken"] = self.sample_ratio.broken
        finite: dict[str, Any] = _finite(values)
        return finite


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
