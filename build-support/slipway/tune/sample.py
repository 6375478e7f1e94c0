"""Measurements of a candidate: blocks of requests, each next to one of the config as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Block:
    """The answers to a number of waiting clients: answers a second, latencies in seconds.

    ``cpu`` is the processor time (s) that all processes of the server took per answer, ``None``
    where they cannot be seen. ``answers`` counts them.
    """

    rate: float
    p50: float
    p99: float
    cpu: float | None
    answers: int


@dataclass(frozen=True)
class Pair:
    """Two blocks of ``clients``, one right after the other: the config as it is, the candidate."""

    clients: int
    baseline: Block
    candidate: Block


@dataclass
class Measured:
    """What is known of a candidate. ``memory`` is in bytes: the candidate's processes, and those of
    the config as it is at the same time. ``failure`` says why it does not count; one that is
    ``passing`` may be over in the next run."""

    pairs: list[Pair] = field(default_factory=list)
    memory: tuple[int, int] | None = None
    failure: str | None = None
    passing: bool = False

    def rounds(self, clients: int) -> int:
        """Return how often it was measured with so many clients."""
        return sum(pair.clients == clients for pair in self.pairs)

    def dump(self) -> dict[str, Any]:
        """Return it as JSON's values."""
        return asdict(self)


def parse_measured(values: Mapping[str, Any]) -> Measured:
    """Return what :meth:`Measured.dump` returned."""
    pairs = [
        Pair(pair["clients"], Block(**pair["baseline"]), Block(**pair["candidate"]))
        for pair in values["pairs"]
    ]
    memory = None if values["memory"] is None else tuple(values["memory"])
    return Measured(pairs, memory, values["failure"])
