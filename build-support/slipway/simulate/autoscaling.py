"""Add and remove simulated instances, as Application Auto Scaling's target tracking does."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Any

from slipway.simulate.fleet import Fleet
from slipway.simulate.instance import Instance
from slipway.simulate.loads import Loads

MINUTE_S = 60.0
# its alarms: above the target for 3 minutes, below 90 % of it for 15
OUT_MINUTES, IN_MINUTES, IN_SHARE = 3, 15, 0.9


class Autoscaler:
    """The instances that are in service. ``history`` has the time (s) and number of each change."""

    def __init__(self, fleet: Fleet, loads: Loads) -> None:
        self.requests = 0
        self.is_over = False
        self.history: list[tuple[float, int]] = []
        self._scaling, self._loads = fleet.scaling, loads
        self._metric: deque[float] = deque(maxlen=IN_MINUTES)
        self._last_out = self._last_in = -math.inf
        self._starting = 0
        self.handlers: dict[str, Callable[[float, Any, Any], None]] = {
            "minute": self._minute,
            "started": self._started,
        }
        begin = loads.times[0]
        for _ in range(fleet.instances):
            self._serve_from(loads.add(begin), begin)
        if self._scaling:
            loads.at(begin + MINUTE_S, "minute", None, None)

    def _serve_from(self, instance: Instance, now: float) -> None:
        instance.is_ready = True
        self._loads.ready.append(instance)
        self.history.append((now, len(self._loads.ready)))

    def _started(self, now: float, instance: Instance, _: object) -> None:
        self._starting -= 1
        self._serve_from(instance, now)

    def _minute(self, now: float, _: object, __: object) -> None:
        scaling = self._scaling
        if scaling is None or self.is_over:
            return
        self._loads.at(now + MINUTE_S, "minute", None, None)
        ready = len(self._loads.ready)
        self._metric.append(self.requests / ready)
        self.requests = 0
        recent = list(self._metric)
        if len(recent) >= OUT_MINUTES and min(recent[-OUT_MINUTES:]) > scaling.target:
            wanted = min(scaling.most, math.ceil(ready * recent[-1] / scaling.target))
            if now >= self._last_out + scaling.out_s and wanted > ready + self._starting:
                for _ in range(wanted - ready - self._starting):
                    self._loads.at(now + scaling.start_s, "started", self._loads.add(now), None)
                    self._starting += 1
                self._last_out = now
        elif len(recent) == IN_MINUTES and max(recent) < IN_SHARE * scaling.target:
            wanted = max(scaling.least, math.ceil(ready * max(recent) / scaling.target))
            cooled = max(self._last_out, self._last_in) + scaling.in_s
            if now >= cooled and wanted < ready and not self._starting:
                for _ in range(ready - wanted):
                    self._loads.remove(self._loads.ready[-1], now)
                self.history.append((now, len(self._loads.ready)))
                self._last_in = now
