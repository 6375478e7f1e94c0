"""A finished search as values: for the table, the picture and for machines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from slipway.tune.candidate import Candidate, as_json, describe
from slipway.tune.estimate import Clients, Noise, Point
from slipway.tune.frontier import Goal, Limits, choose, find_frontier
from slipway.tune.search import ENOUGH

INTERRUPTED = "interrupted"
GOALS: tuple[Goal, ...] = get_args(Goal)


@dataclass(frozen=True)
class TuneReport:
    """A search for ``name``. ``chosen`` is the goal's point, ``None`` if none keeps the limits.

    ``failures`` says by candidate why it does not count, ``left_out`` what was not tried.
    ``combinations`` counts all, ``ended`` says why the search ended, ``reused`` how many candidates
    an earlier run had measured.
    """

    name: str
    place: str
    inputs: str
    clients: Clients
    goal: Goal
    limits: Limits
    points: tuple[Point, ...]
    chosen: Point | None
    noise: Noise
    failures: Mapping[Candidate, str]
    left_out: tuple[str, ...]
    combinations: int
    ended: str
    reused: int
    notes: tuple[str, ...] = ()

    @property
    def interrupted(self) -> bool:
        """Return whether Ctrl-C ended it."""
        return self.ended.startswith(INTERRUPTED)

    @property
    def frontier(self) -> list[Point]:
        """Return the points that no other one dominates."""
        return find_frontier(self.points)

    @property
    def baseline(self) -> Point | None:
        """Return the config as it is."""
        return next((point for point in self.points if not point.candidate), None)

    def chosen_by(self, point: Point) -> list[Goal]:
        """Return the goals that choose ``point`` within the limits."""
        return [goal for goal in GOALS if choose(self.points, goal, self.limits) == point]

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON's values: seconds, bytes, answers a second."""
        frontier = self.frontier
        return {
            "name": self.name,
            "place": self.place,
            "inputs": self.inputs,
            "clients": list(self.clients.numbers),
            "goal": self.goal,
            "max_p99": self.limits.p99,
            "max_memory": self.limits.memory,
            "noise": {name: _share(self.noise.limit(name, ENOUGH)) for name in self.noise.least},
            "combinations": self.combinations,
            "measured": [
                {
                    "changes": as_json(point.candidate),
                    "values": dict(point.values),
                    "better_by": {name: _share(gain) for name, gain in point.gains.items()},
                    "equal": [name for name, step in point.steps.items() if step == 0],
                    "rounds": point.rounds,
                    "frontier": point in frontier,
                    "goals": self.chosen_by(point),
                }
                for point in self.points
            ],
            "failed": [
                {"changes": as_json(candidate), "reason": reason}
                for candidate, reason in self.failures.items()
            ],
            "chosen": None if self.chosen is None else as_json(self.chosen.candidate),
            "left_out": list(self.left_out),
            "ended": self.ended,
            "reused": self.reused,
            "notes": list(self.notes),
        }

    def describe_choice(self) -> str:
        """Return in a sentence what the goal chooses."""
        if self.interrupted:
            return "Nothing is chosen; the same command continues."
        if not self.points:
            return "Nothing was measured in the budget: give more with --budget."
        if self.chosen is None:
            return "No config that was measured keeps the limits."
        if not self.chosen.candidate:
            return f"For {self.goal} the config as it is stays: nothing measured is clearly better."
        return f"For {self.goal}: {describe(self.chosen.candidate)}."


def _share(gain: float) -> float:
    """Return a gain as a share: 0.1 is better by a tenth."""
    return math.exp(gain) - 1
