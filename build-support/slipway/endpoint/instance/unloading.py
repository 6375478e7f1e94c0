"""Unloading: what does not fit, or makes room for another; the least recently used model first."""

from __future__ import annotations

import asyncio
import time

from slipway.endpoint.instance.disk import Disk
from slipway.endpoint.instance.loader import Loader
from slipway.endpoint.instance.table import ModelTable, TargetModel
from slipway.endpoint.instance.tasks import Tasks
from slipway.endpoint.limits import Limits
from slipway.endpoint.observed.observer import Observer

FAILED_EVICTION_S = 300.0


class Unloading:
    """Unloads the models of one endpoint; those in use stay."""

    def __init__(
        self,
        limits: Limits,
        table: ModelTable,
        disk: Disk,
        loader: Loader,
        observer: Observer,
        tasks: Tasks,
    ) -> None:
        self._limits = limits
        self._table = table
        self._disk = disk
        self._loader = loader
        self._observer = observer
        self._tasks = tasks
        self.is_trimming = False
        # when models were unloaded for a target that failed nevertheless (monotonic seconds)
        self._failed: dict[str, float] = {}

    def trim(self) -> None:
        """Start unloading what does not fit, unless that is in progress."""
        if not self.is_trimming and self._table.is_over:
            self.is_trimming = True
            self._tasks.start(self._unload_until_it_fits())

    async def _unload_until_it_fits(self) -> None:
        try:
            while self._table.is_over and await self._evict([], "to make room"):
                pass
        finally:
            self.is_trimming = False
            self._table.change.set()

    async def _evict(self, evicted: list[str], why: str) -> bool:
        idle = [model for model in self._table.loaded if not model.users]
        if not idle:
            return False
        victim = idle[0]
        evicted.append(victim.target)
        self._observer.evicted(victim.target, why)
        await asyncio.shield(self.unload(victim))
        return True

    async def make_memory(self, model: TargetModel, evicted: list[str]) -> bool:
        """Unload another model, unless that recently did not help this one: the server chooses 507
        by words such as OOM, which a message may contain for other reasons."""
        last = self._failed.get(model.target)
        if last is not None and time.monotonic() < last + FAILED_EVICTION_S:
            return False
        return await self._evict(evicted, "out of memory")

    def did_not_help(self, target: str) -> None:
        """Record that a target failed although other models were unloaded for it."""
        self._failed[target] = time.monotonic()

    async def make_disk(self, model: TargetModel, evicted: list[str]) -> bool:
        """Make the files of another model removable; return whether there is another model at
        all."""
        self._table.change.clear()
        if await self._evict(evicted, "its files are removed to make room"):
            return True
        if self._table.keys() <= {model.target}:
            return False
        model.waits_for = "room on the disk: every other model is being loaded or in use"
        await self._table.change.wait()
        model.waits_for = ""
        return True

    def unload(self, model: TargetModel) -> asyncio.Task[None]:
        """Unload a model, which no invocation gets from here on; the task ends when it is
        unloaded."""
        model.state = "unloading"
        self._table.change.set()
        model.task = self._tasks.start(self._run(model))
        return model.task

    async def _run(self, model: TargetModel) -> None:
        started = time.monotonic()
        try:
            if await self._loader.unload(model.target):
                self._observer.unloaded(model.target, time.monotonic() - started)
            if not self._limits.cached and model.target in self._disk.extracted:
                # as AWS does: the next invocation downloads the model again
                await self._disk.remove(model.target)
        finally:
            self._table.drop(model)
