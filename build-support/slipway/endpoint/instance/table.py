"""The models that an instance loads, has loaded or unloads."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from slipway.endpoint.instance.turns import TURN_S
from slipway.endpoint.limits import Limits
from slipway.endpoint.observed.observer import Observer

LONG_LOAD_CHECK_S = 1.0


@dataclass(eq=False)
class TargetModel:
    """One target model. ``users`` counts the invocations that wait for it or are in progress;
    ``used`` is when the last one ended, ``admitted`` when it began to count towards the limit of
    models (monotonic seconds); ``memory`` is in bytes. ``waits_for`` says what room its load waits
    for, if it does.
    """

    target: str
    state: Literal["loading", "loaded", "unloading"] = "loading"
    users: int = 0
    used: float = field(default_factory=time.monotonic)
    memory: int = 0
    admitted: float | None = None
    waits_for: str = ""
    task: asyncio.Task[None] | None = None


class ModelTable(dict[str, TargetModel]):
    """The models by target; ``leftover`` are the bytes of processes that no model has."""

    def __init__(self, limits: Limits, observer: Observer) -> None:
        super().__init__()
        self.leftover = 0
        self.change = asyncio.Event()
        self._limits = limits
        self._observer = observer

    @property
    def loaded(self) -> list[TargetModel]:
        """Return the loaded models, the least recently used first."""
        models = [model for model in self.values() if model.state == "loaded"]
        return sorted(models, key=lambda model: model.used)

    @property
    def is_full(self) -> bool:
        """Return whether more models than the limit count towards it; not those whose load takes
        long, or never ends."""
        late = time.monotonic() - TURN_S
        admitted = sum(
            m.admitted is not None and (m.state == "loaded" or m.admitted > late)
            for m in self.values()
            if m.state != "unloading"
        )
        return bool(self._limits.models) and admitted > self._limits.models

    @property
    def is_over(self) -> bool:
        """Return whether what is loaded exceeds a limit that unloading can meet."""
        present = [model for model in self.values() if model.state == "loaded"]
        if self._limits.models and len(present) > self._limits.models:
            return True
        taken = self.leftover + sum(model.memory for model in present)
        return bool(self._limits.memory and taken > self._limits.memory and len(present) > 1)

    def holds(self, model: TargetModel) -> bool:
        """Return whether ``model`` is loaded, and not one of the same target from before."""
        return self.get(model.target) is model and model.state == "loaded"

    def drop(self, model: TargetModel) -> None:
        """Remove a model, unless its target is loaded anew already."""
        if self.get(model.target) is model:
            del self[model.target]
        self._observer.count(len(self.loaded))
        self.change.set()

    async def wait_for_change(self) -> None:
        """Wait until a model ends or is no longer in use, or until some load may have taken so long
        that it keeps the others waiting no more."""
        self.change.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(LONG_LOAD_CHECK_S):
                await self.change.wait()
