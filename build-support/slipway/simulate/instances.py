"""The simulated instances: which has what, which gets a request, and the events to come."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from heapq import heappush
from typing import Any

import numpy as np

from slipway.simulate.fleet import Fleet, Models
from slipway.simulate.instance import Copy, Instance
from slipway.triton.datatypes import Array

type Event = tuple[float, int, str, Any, Any]


class Instances:
    """``holders`` are the instances that have a model loaded, and ``loading_at`` those that load
    it, by model. ``ready`` instances get requests. ``events`` is a heap."""

    def __init__(self, models: Models, fleet: Fleet) -> None:
        self.models, self.fleet = models, fleet
        self.memory: list[float] = models.memory.tolist()
        self.disk: list[float] = models.disk.tolist()
        self.events: list[Event] = []
        self.holders: list[list[Instance]] = [[] for _ in self.memory]
        self.loading_at: list[list[Instance]] = [[] for _ in self.memory]
        self.instances: list[Instance] = []
        self.ready: list[Instance] = []
        self._order = itertools.count().__next__
        self._serve_s = models.serve.mean

    def at(self, when: float, kind: str, instance: Any, subject: Any) -> None:
        """Let something happen later."""
        heappush(self.events, (when, self._order(), kind, instance, subject))

    def least_busy(self, holding: Sequence[Instance], model: int) -> Instance:
        """Return the instance on which a request would be served first."""
        return min(holding, key=lambda each: self._free_at(each, each.copies[model]))

    def wait_at(self, instance: Instance, copy: Copy, now: float) -> float:
        """Return how long (s) the next request would wait for a core and the model."""
        return self._free_at(instance, copy) - now

    def _free_at(self, instance: Instance, copy: Copy) -> float:
        waiting = len(copy.pending) * self._serve_s / len(copy.free)
        return max(instance.cores[0], copy.free[0] + waiting)

    def add(self, now: float) -> Instance:
        """Return a new instance, which is not ready."""
        instance = Instance(self.fleet.shape, now)
        self.instances.append(instance)
        return instance

    def remove(self, instance: Instance, now: float) -> None:
        """Let an instance get no more requests. What it has is answered."""
        instance.ended, instance.is_ready = now, False
        self.ready.remove(instance)
        for model in instance.copies:
            self.holders[model].remove(instance)

    def fill(self, shares: Array, now: float) -> None:
        """Load the most popular models, each on the instance with most room, until one is full."""
        placed: list[tuple[int, Instance]] = []
        for model in np.argsort(-shares, kind="stable").tolist():
            instance = min(self.ready, key=lambda each: each.memory)
            shape = instance.shape
            if (
                instance.memory + self.memory[model] > shape.memory
                or instance.used_disk + self.disk[model] > shape.disk
                or (shape.most_models and instance.admitted >= shape.most_models)
            ):
                break
            instance.take_memory(self.memory[model])
            instance.admitted += 1
            instance.used_disk += self.disk[model]
            placed.append((model, instance))
        for model, instance in reversed(placed):  # the most popular is the last to leave
            instance.copies[model] = Copy(self.models.concurrency, now)
            instance.files[model] = self.disk[model]
            self.holders[model].append(instance)
