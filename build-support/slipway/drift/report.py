"""What a check for drift has found, tensor by tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

type Side = Literal["inputs", "outputs"]


@dataclass(frozen=True)
class Statistic:
    """One comparison of a series with its reference.

    ``name`` is ``psi``, ``wasserstein`` (in spreads of the reference), ``missing``,
    ``out_of_range`` or ``unseen`` (shares of rows). ``reference`` is the share there; ``None`` for
    a distance. ``threshold`` is infinite where no window of this size could be told from chance.
    """

    name: str
    series: str
    value: float
    threshold: float
    reference: float | None = None

    @property
    def moved(self) -> bool:
        """Return whether the value is above what chance and the floor explain."""
        return self.value > self.threshold


@dataclass(frozen=True)
class Distribution:
    """Shares of the rows by bin or value, of the reference and of what came in.

    ``edges`` are the numbers between the bins; empty for values, whose names are ``labels``.
    """

    labels: tuple[str, ...]
    reference: tuple[float, ...]
    window: tuple[float, ...]
    edges: tuple[float, ...] = ()


@dataclass(frozen=True)
class MovedRow:
    """A row that the drift of a tensor is due to; ``row`` counts within its request from 0.

    ``value`` is a number, or a text that at least ``least`` rows had; else ``None``.
    """

    event_id: str
    row: int
    series: str
    reason: str
    value: float | str | None = None


@dataclass(frozen=True)
class TensorDrift:
    """The statistics of one tensor, by ``<series> <name>``, and its ``distributions`` by series."""

    name: str
    side: Side
    kind: str
    statistics: Mapping[str, Statistic]
    distributions: Mapping[str, Distribution] = field(default_factory=dict)
    rows: tuple[MovedRow, ...] = ()

    @property
    def moved(self) -> bool:
        """Return whether any of its statistics has moved."""
        return any(statistic.moved for statistic in self.statistics.values())

    @property
    def score(self) -> float:
        """Return the largest value in thresholds: above 1 is drift. 0 without any statistic."""
        ratios = [s.value / s.threshold for s in self.statistics.values() if s.threshold > 0]
        return max(ratios, default=0.0)


@dataclass(frozen=True)
class DriftReport:
    """A window of captured rows against the reference.

    ``rows`` came in ``requests`` requests between ``since`` and ``until``; ``reference_rows`` are
    those of the profile. ``notes`` say what was left out, and what limits the check.
    """

    tensors: list[TensorDrift]
    rows: int
    requests: int
    reference_rows: int
    source: str
    since: datetime | None
    until: datetime | None
    alarms: float
    notes: tuple[str, ...] = ()

    @property
    def moved(self) -> bool:
        """Return whether any tensor has moved."""
        return any(tensor.moved for tensor in self.tensors)

    def dump(self) -> dict[str, Any]:
        """Return the report as JSON values; an infinite threshold is ``None``."""
        values = asdict(self)
        values["since"] = self.since.isoformat() if self.since else None
        values["until"] = self.until.isoformat() if self.until else None
        values["moved"] = self.moved
        for dumped, tensor in zip(values["tensors"], self.tensors, strict=True):
            dumped["moved"], dumped["score"] = tensor.moved, tensor.score
            for key, statistic in tensor.statistics.items():
                entry = dumped["statistics"][key]
                entry["moved"] = statistic.moved
                if statistic.threshold == float("inf"):
                    entry["threshold"] = None
        return values
