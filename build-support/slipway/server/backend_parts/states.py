"""The states of sequences, which the native backend gives to the core and a Python one cannot.

The core adds each state's initial value to the requests; from a sequence's second request on, the
value that its last run returned takes its place.
https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/architecture.html#implicit-state-management
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

type Array = np.ndarray[Any, Any]

START, END = 1, 2  # TRITONSERVER_REQUEST_FLAG_SEQUENCE_START, …_END
DEFAULT_IDLE_US = 1_000_000


@dataclass
class _Sequence:
    last_used: float  # in seconds, by the store's clock
    values: dict[str, Array] = field(default_factory=dict)  # by the names of the inputs


class States:
    """The values of the running sequences of one instance, which serves a sequence to its end."""

    def __init__(
        self, config: Mapping[str, Any], clock: Callable[[], float] = time.monotonic
    ) -> None:
        sequence = config.get("sequence_batching", {})
        states = sequence.get("state", [])
        # the inputs that the graph's outputs become, by the outputs' names
        self.inputs = {state["output_name"]: state["input_name"] for state in states}
        idle_us = int(sequence.get("max_sequence_idle_microseconds") or DEFAULT_IDLE_US)
        self._idle_s = idle_us / 1e6
        self._clock = clock
        self._running: dict[Any, _Sequence] = {}

    def fill(self, correlation: Any, flags: int, feed: dict[str, Array]) -> dict[str, Array]:
        """Return ``feed`` with the sequence's values in place of the initial ones."""
        if flags & START:
            self._running[correlation] = _Sequence(self._clock())
        running = self._running.get(correlation)
        # the direct strategy fills a batch with requests of no sequence
        return feed if running is None else {**feed, **running.values}

    def update(self, correlation: Any, flags: int, outputs: Mapping[str, Array]) -> None:
        """Keep the values of the state ``outputs`` for the sequence's next request."""
        now = self._clock()
        running = self._running.get(correlation)
        if running is not None:
            running.last_used = now
            running.values |= {self.inputs[name]: value for name, value in outputs.items()}
        if flags & END:
            self._running.pop(correlation, None)
        # the core ends a sequence that was idle for so long, and says nothing
        for key in [k for k, s in self._running.items() if now - s.last_used > self._idle_s]:
            del self._running[key]
