"""A measurer of known truth: a pure function of the candidate, with noise and its own clock."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from slipway.tune.candidate import BASELINE, Candidate, Knob, Space
from slipway.tune.estimate import Clients
from slipway.tune.sample import Block, Measured, Pair

CLIENTS = Clients(1, 8)
LOAD_S, ROUND_S = 3.0, 1.0
BASE = {"rate": 300.0, "p50": 0.003, "p99": 0.03, "cpu": 0.003, "memory": 2e8}

type Truth = Callable[[Candidate], Mapping[str, float]]
"""Returns by which factor a candidate changes each measure."""


class SimulatedMeasurer:
    """Measures what ``truth`` says, times noise of a standard deviation of ``noise``.

    The machine drifts: every round it is faster or slower by up to a half, for both alike.
    """

    def __init__(
        self,
        truth: Truth,
        budget: float,
        noise: float = 0.0,
        seed: int = 0,
        failing: Callable[[Candidate], bool] = lambda _: False,
    ) -> None:
        self.measured: dict[Candidate, Measured] = {}
        self.spent = 0.0
        self._truth = truth
        self._budget = budget
        self._noise = noise
        self._random = np.random.default_rng(seed)
        self._failing = failing

    def left(self) -> float:
        return self._budget - self.spent

    def cost(self, candidate: Candidate, rounds: int) -> float:
        known = self.measured.get(candidate)
        done = 0 if known is None else known.rounds(CLIENTS.most)
        return LOAD_S + ROUND_S * (rounds - done)

    def measure(self, candidate: Candidate, rounds: int) -> None:
        self.spent += self.cost(candidate, rounds)
        measured = self.measured.setdefault(candidate, Measured())
        if self._failing(candidate):
            measured.failure = "it answers otherwise"
            return
        truth = self._truth(candidate)
        while measured.rounds(CLIENTS.most) < rounds:
            drift = self._random.uniform(0.5, 1.5)
            for clients in CLIENTS.numbers:
                measured.pairs.append(
                    Pair(clients, self._block({}, drift), self._block(truth, drift))
                )
        measured.memory = (int(BASE["memory"] * truth.get("memory", 1.0)), int(BASE["memory"]))

    def _block(self, factors: Mapping[str, float], drift: float) -> Block:
        def value(name: str, power: int) -> float:
            noise = math.exp(self._random.normal(0, self._noise)) if self._noise else 1.0
            return BASE[name] * factors.get(name, 1.0) * noise * drift**power

        return Block(value("rate", -1), value("p50", 1), value("p99", 1), value("cpu", 0), 100)


def make_space(sizes: Sequence[int]) -> Space:
    """Return a space of knobs with so many values, two knobs a model."""
    names = itertools.cycle(["threads", "instances"])
    knobs = [
        Knob(f"m{number // 2}", name, tuple(range(size)), 0)
        for number, (size, name) in enumerate(zip(sizes, names, strict=False))
    ]
    return Space(tuple(knobs))


def random_truth(seed: int, spread: float = 0.3) -> Truth:
    """Return a truth without structure: each candidate's factors are drawn once."""

    def truth(candidate: Candidate) -> Mapping[str, float]:
        if candidate == BASELINE:
            return {}
        text = f"{seed}{candidate}".encode()
        random = np.random.default_rng(list(text))
        return {name: float(math.exp(random.normal(0, spread))) for name in BASE}

    return truth


def hill(peak: Mapping[tuple[str, str], int], steepness: float = 0.1) -> Truth:
    """Return a truth with one hill: the rate falls with the distance from ``peak``."""

    def truth(candidate: Candidate) -> Mapping[str, float]:
        values = {(change.model, change.name): int(change.value) for change in candidate}

        def height(at: Mapping[tuple[str, str], int]) -> float:
            return -steepness * sum(abs(at.get(key, 0) - best) for key, best in peak.items())

        return {"rate": math.exp(height(values) - height({}))}

    return truth


def shared_cores(candidate: Candidate) -> Mapping[str, float]:
    """A truth where neither knob helps alone: threads times instances should be four."""
    values = {change.name: int(change.value) for change in candidate}
    threads, instances = values.get("threads", 0) + 1, values.get("instances", 0) + 1
    return {"rate": {(1, 1): 1.0, (2, 2): 1.5}.get((threads, instances), 0.9)}
