"""The loaded target models: loaded on first use, once for all waiting invocations, and unloaded
least recently used first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from slipway.endpoint.failure import Failure, model_error, not_ready, unavailable
from slipway.endpoint.instance.disk import Disk
from slipway.endpoint.instance.loader import Loader
from slipway.endpoint.instance.turns import TURN_S
from slipway.endpoint.limits import Limits
from slipway.endpoint.observed.observer import Observer

FAILED_EVICTION_S = 300.0
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


class Models:
    """The models of one endpoint."""

    def __init__(self, limits: Limits, disk: Disk, loader: Loader, observer: Observer) -> None:
        self.table: dict[str, TargetModel] = {}
        self._limits = limits
        self._disk = disk
        self._loader = loader
        self._observer = observer
        self._change = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._trimming = False
        self._leftover = 0
        # when models were unloaded for a target that failed nevertheless (monotonic seconds)
        self._failed_evictions: dict[str, float] = {}

    @property
    def loaded(self) -> list[TargetModel]:
        """Return the loaded models, the least recently used first."""
        models = [model for model in self.table.values() if model.state == "loaded"]
        return sorted(models, key=lambda model: model.used)

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
            self._change.set()
        if self.table.get(model.target) is not model or model.state != "loaded":
            return
        if not self._limits.cached:
            if not model.users:
                self._unload(model)
        else:
            self._trim()

    def forget(self, model: TargetModel) -> None:
        """Remove a model that the server turned out not to have."""
        if self.table.get(model.target) is model and model.state == "loaded":
            self._drop(model)

    def lost(self) -> None:
        """Record that the server has ended: no model is loaded any more. Loads in progress
        continue."""
        self._leftover = 0
        for model in list(self.table.values()):
            if model.state == "loaded":
                self._drop(model)

    async def close(self) -> None:
        """Cancel every load and unload."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def set_memory(self, sizes: Mapping[str, int], leftover: int) -> None:
        """Record measured memory in bytes: by target, and of processes that no model has."""
        self._leftover = leftover
        for target, size in sizes.items():
            if target in self.table and size:
                self.table[target].memory = size
        self._trim()

    def _begin(self, target: str) -> TargetModel:
        model = TargetModel(target)
        self.table[target] = model
        model.task = self._spawn(self._load(model))
        return model

    async def _load(self, model: TargetModel) -> None:
        evicted: list[str] = []
        try:
            async with asyncio.timeout(self._limits.load_s):
                extracted, downloaded = await self._disk.extract(
                    model.target, lambda: self._evict_for_files(model, evicted)
                )
                if downloaded:
                    self._observer.downloaded(model.target, extracted.seconds, extracted.size)
                await self._admit(model)
            started = time.monotonic()
            model.memory = await self._loader.load(
                model.target,
                lambda: self._evict_for_memory(model, evicted),
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
            self._drop(model)
            raise
        model.state = "loaded"
        model.used = time.monotonic()
        self._change.set()
        self._observer.count(len(self.loaded))
        self._trim()

    async def _refuse_too_large(self, model: TargetModel) -> None:
        if not self._limits.memory or model.memory <= self._limits.memory:
            return
        await asyncio.shield(self._unload(model))
        raise model_error(
            507,
            f"{model.target!r} takes {model.memory:,} bytes of memory,"
            f" the instance has {self._limits.memory:,}",
        )

    def _failed(self, model: TargetModel, failure: Failure, evicted: list[str]) -> None:
        """Record a failed load, and reload the models that were evicted for it."""
        self._drop(model)
        if evicted:
            self._failed_evictions[model.target] = time.monotonic()
        self._observer.failed(model.target, failure)
        for target in evicted:
            if target not in self.table:
                self._observer.restored(target, model.target)
                self._begin(target)

    async def _admit(self, model: TargetModel) -> None:
        """Wait until one more model fits."""
        while self._limits.models and self._admitted() > self._limits.models:
            model.waits_for = (
                f"room: the limit is {self._limits.models} models, and those are being loaded or"
                " in use"
            )
            self._trim()
            await self._wait_for_change()
        model.waits_for = ""
        model.admitted = time.monotonic()

    async def _wait_for_change(self) -> None:
        """Wait until a model ends or is no longer in use, or until some load may have taken so long
        that it keeps the others waiting no more."""
        self._change.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(LONG_LOAD_CHECK_S):
                await self._change.wait()

    def _admitted(self) -> int:
        """Count the models towards the limit; not those whose load takes long, or never ends."""
        late = time.monotonic() - TURN_S
        return sum(
            m.admitted is not None and (m.state == "loaded" or m.admitted > late)
            for m in self.table.values()
            if m.state != "unloading"
        )

    def _over(self) -> bool:
        present = [model for model in self.table.values() if model.state == "loaded"]
        if self._limits.models and len(present) > self._limits.models:
            return True
        taken = self._leftover + sum(model.memory for model in present)
        return bool(self._limits.memory and taken > self._limits.memory and len(present) > 1)

    def _trim(self) -> None:
        """Start unloading what does not fit, unless that is in progress."""
        if not self._trimming and self._over():
            self._trimming = True
            self._spawn(self._unload_until_it_fits())

    async def _unload_until_it_fits(self) -> None:
        """Unload the least recently used models until the rest fits; models in use stay."""
        try:
            while self._over() and await self._evict([], "to make room"):
                pass
        finally:
            self._trimming = False
            self._change.set()

    async def _evict(self, evicted: list[str], why: str) -> bool:
        idle = [model for model in self.loaded if not model.users]
        if not idle:
            return False
        victim = idle[0]
        evicted.append(victim.target)
        self._observer.evicted(victim.target, why)
        await asyncio.shield(self._unload(victim))
        return True

    async def _evict_for_memory(self, model: TargetModel, evicted: list[str]) -> bool:
        """Unload another model, unless that recently did not help this one: the server chooses 507
        by words such as OOM, which a message may contain for other reasons."""
        last = self._failed_evictions.get(model.target)
        if last is not None and time.monotonic() < last + FAILED_EVICTION_S:
            return False
        return await self._evict(evicted, "out of memory")

    async def _evict_for_files(self, model: TargetModel, evicted: list[str]) -> bool:
        """Make the files of another model removable; return whether there is another model at
        all."""
        self._change.clear()
        if await self._evict(evicted, "its files are removed to make room"):
            return True
        if self.table.keys() <= {model.target}:
            return False
        model.waits_for = "room on the disk: every other model is being loaded or in use"
        await self._change.wait()
        model.waits_for = ""
        return True

    def _unload(self, model: TargetModel) -> asyncio.Task[None]:
        """Unload a model, which no invocation gets from here on; the task ends when it is
        unloaded."""
        model.state = "unloading"
        self._change.set()
        model.task = self._spawn(self._run_unload(model))
        return model.task

    async def _run_unload(self, model: TargetModel) -> None:
        started = time.monotonic()
        try:
            if await self._loader.unload(model.target):
                self._observer.unloaded(model.target, time.monotonic() - started)
            if not self._limits.cached and model.target in self._disk.extracted:
                # as AWS does: the next invocation downloads the model again
                await self._disk.remove(model.target)
        finally:
            self._drop(model)

    def _drop(self, model: TargetModel) -> None:
        if self.table.get(model.target) is model:
            del self.table[model.target]
        self._observer.count(len(self.loaded))
        self._change.set()

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # waiting invocations and the observer have the error of a failed load
