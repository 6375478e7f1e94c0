"""The loaded target models: loaded on first use, once for all waiting invocations, and unloaded
least recently used first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from slipway.endpoint.failure import Failure, model_error, not_ready, unavailable
from slipway.endpoint.instance.disk import Disk
from slipway.endpoint.instance.loader import Loader
from slipway.endpoint.instance.table import ModelTable, TargetModel
from slipway.endpoint.instance.tasks import Tasks
from slipway.endpoint.instance.unloading import Unloading
from slipway.endpoint.limits import Limits
from slipway.endpoint.observed.observer import Observer


class Models:
    """The models of one endpoint."""

    def __init__(self, limits: Limits, disk: Disk, loader: Loader, observer: Observer) -> None:
        self.table = ModelTable(limits, observer)
        self._limits = limits
        self._disk = disk
        self._loader = loader
        self._observer = observer
        self._tasks = Tasks()
        self._unloading = Unloading(limits, self.table, disk, loader, observer, self._tasks)

    def pins(self, target: str) -> bool:
        """Return whether the target's files must stay on the disk."""
        return target in self.table

    async def acquire(self, target: str) -> tuple[TargetModel, bool]:
        """Load a target and keep it loaded until :meth:`release`; return whether it already was.

        Raises:
            Failure: it cannot be loaded, or not within the time that an invocation waits.
        """
        if self._acquire_loaded(target):
            return self.table[target], True
        deadline = time.monotonic() + self._limits.not_ready_s
        while True:
            model = self.table.get(target) or self._begin(target)
            # if it turns out to be too large, its unloading is another task
            task, loads = model.task, model.state == "loading"
            assert task is not None
            model.users += 1
            try:
                done, _ = await asyncio.wait({task}, timeout=max(0.0, deadline - time.monotonic()))
                if not done:
                    raise not_ready(target, self._limits.not_ready_s, model.waits_for)
                if loads:
                    if task.cancelled():
                        raise unavailable("the endpoint is shutting down")
                    task.result()
                if self._acquire_loaded(target):
                    return self.table[target], False
            finally:
                model.users -= 1

    def _acquire_loaded(self, target: str) -> bool:
        model = self.table.get(target)
        if model is None or model.state != "loaded":
            return False
        model.users += 1
        return True

    def release(self, model: TargetModel) -> None:
        """Record that an invocation has ended."""
        model.users -= 1
        model.used = time.monotonic()
        if not model.users:
            self.table.change.set()
        if not self.table.holds(model):
            return
        if not self._limits.cached:
            if not model.users:
                self._unloading.unload(model)
        else:
            self._unloading.trim()

    def forget(self, model: TargetModel) -> None:
        """Remove a model that the server turned out not to have."""
        if self.table.holds(model):
            self.table.drop(model)

    def lost(self) -> None:
        """Record that the server has ended: no model is loaded any more. Loads in progress
        continue."""
        self.table.leftover = 0
        for model in list(self.table.values()):
            if model.state == "loaded":
                self.table.drop(model)

    async def close(self) -> None:
        """Cancel every load and unload."""
        await self._tasks.cancel()

    def set_memory(self, sizes: Mapping[str, int], leftover: int) -> None:
        """Record measured memory in bytes: by target, and of processes that no model has."""
        self.table.leftover = leftover
        for target, size in sizes.items():
            if target in self.table and size:
                self.table[target].memory = size
        self._unloading.trim()

    def _begin(self, target: str) -> TargetModel:
        model = TargetModel(target)
        self.table[target] = model
        model.task = self._tasks.start(self._load(model))
        return model

    async def _load(self, model: TargetModel) -> None:
        evicted: list[str] = []
        try:
            async with asyncio.timeout(self._limits.load_s):
                extracted, downloaded = await self._disk.extract(
                    model.target, lambda: self._unloading.make_disk(model, evicted)
                )
                if downloaded:
                    self._observer.downloaded(model.target, extracted.seconds, extracted.size)
                await self._admit(model)
            started = time.monotonic()
            model.memory = await self._loader.load(
                model.target,
                lambda: self._unloading.make_memory(model, evicted),
                started + self._limits.load_s,
            )
            await self._refuse_too_large(model)
            self._observer.loaded(model.target, time.monotonic() - started)
        except TimeoutError:
            late = f"{model.target!r} was not loaded in {self._limits.load_s:g} s"
            failure = model_error(
                507 if model.waits_for else 0,
                f"{late}: it waited for {model.waits_for}" if model.waits_for else late,
            )
            self._failed(model, failure, evicted)
            raise failure from None
        except Failure as failure:
            self._failed(model, failure, evicted)
            raise
        except BaseException:
            self.table.drop(model)
            raise
        model.state = "loaded"
        model.used = time.monotonic()
        self.table.change.set()
        self._observer.count(len(self.table.loaded))
        self._unloading.trim()

    async def _refuse_too_large(self, model: TargetModel) -> None:
        if not self._limits.memory or model.memory <= self._limits.memory:
            return
        await asyncio.shield(self._unloading.unload(model))
        raise model_error(
            507,
            f"{model.target!r} takes {model.memory:,} bytes of memory,"
            f" the instance has {self._limits.memory:,}",
        )

    def _failed(self, model: TargetModel, failure: Failure, evicted: list[str]) -> None:
        """Record a failed load, and reload the models that were evicted for it."""
        self.table.drop(model)
        if evicted:
            self._unloading.did_not_help(model.target)
        self._observer.failed(model.target, failure)
        for target in evicted:
            if target not in self.table:
                self._observer.restored(target, model.target)
                self._begin(target)

    async def _admit(self, model: TargetModel) -> None:
        """Wait until one more model fits."""
        while self.table.is_full:
            model.waits_for = (
                f"room: the limit is {self._limits.models} models, and those are being loaded or"
                " in use"
            )
            self._unloading.trim()
            await self.table.wait_for_change()
        model.waits_for = ""
        model.admitted = time.monotonic()
