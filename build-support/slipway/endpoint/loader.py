"""A container is asked to load and to unload, and survived if it dies or hangs of that."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from slipway.endpoint import memory
from slipway.endpoint.container import Container
from slipway.endpoint.disk import Disk
from slipway.endpoint.failure import of_model
from slipway.endpoint.limits import Limits
from slipway.server.client import Refused, ServerGone

STUBS_GONE_S = 5.0  # a model's processes end up to 1.5 s after its unloading has returned
NOT_LOADED, THERE_ALREADY, NO_MEMORY = 404, 409, 507

type Evict = Callable[[], Awaitable[bool]]
"""Unloads a model that nobody uses; whether there was one to unload."""


class Loader:
    """Loads what lies on ``disk`` into the present server of ``container``."""

    def __init__(self, limits: Limits, disk: Disk, container: Container) -> None:
        self._limits = limits
        self._disk = disk
        self._container = container
        self._suspected = asyncio.Lock()
        self._replacing: set[asyncio.Task[None]] = set()

    async def load(self, target: str, evict: Evict, deadline: float) -> int:
        """Load a target; the bytes of memory that it takes. ``deadline`` in monotonic seconds.

        Raises:
            Failure: the server refuses it, or has died of it twice.
            TimeoutError: it was not loaded until ``deadline``.
        """
        generation, taken = 0, 0
        while generation != self._container.generation or not self._container.is_ready:
            # once more, if the server ended before the caller could know that it has the model
            generation = await self._load(target, evict, deadline)
            taken = await self._weigh(target)
        return taken

    async def unload(self, target: str) -> bool:
        """Unload a target, and wait until its processes have ended; whether the server did it.

        Otherwise it is gone with the server, which is replaced if it does not do as it should.
        """
        container, started = self._container, time.monotonic()
        server, generation = container.server, container.generation
        container.controls += 1
        try:
            await container.calls.unload(target, self._limits.unload_s)
            folder = self._disk.folder(target)
            while (
                time.monotonic() < started + STUBS_GONE_S
                and generation == container.generation
                and await asyncio.to_thread(memory.has_processes, server.supervisor, folder)
            ):
                await asyncio.sleep(0.05)
            return True
        except Refused as refused:
            if refused.status != NOT_LOADED:
                container.replace(f"unloading {target!r} failed: {refused.what}")
        except ServerGone:
            pass
        except TimeoutError:
            container.replace(f"unloading {target!r} did not return")
        finally:
            container.controls -= 1
        return False

    async def _load(self, target: str, evict: Evict, deadline: float) -> int:
        """Load a target; into which generation. If the server dies of it, the next one is asked,
        and by this target alone of those that it may have died of."""
        try:
            return await self._ask(target, evict, deadline)
        except ServerGone:
            async with self._suspected:
                since = self._container.log_file.stat().st_size
                try:
                    return await self._ask(target, evict, deadline)
                except ServerGone as gone:
                    server = self._container.server
                    said = server.failed_load(target, gone.what, since)
                    raise of_model(0, f"the server died twice while it loaded: {said}") from gone

    async def _ask(self, target: str, evict: Evict, deadline: float) -> int:
        """Have the present server load a target; its generation.

        Raises:
            Failure: the server has refused.
            ServerGone: it died; it is gone when this is raised.
            TimeoutError: it did not answer until ``deadline``.
        """
        container = self._container
        while True:
            await container.ready(deadline - time.monotonic())
            generation, server = container.generation, container.server
            since = server.log_file.stat().st_size
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            container.controls += 1
            try:
                await container.calls.load(target, left)
                return generation
            except Refused as refused:
                if refused.status == THERE_ALREADY:
                    return generation
                if refused.status == NO_MEMORY and await evict():
                    continue
                said = server.failed_load(target, refused.what, since)
                raise of_model(refused.status, str(said)) from refused
            except ServerGone:
                await container.replaced(generation, self._limits.ping_s)
                raise
            except TimeoutError:
                # it loads one model at a time (sagemaker_server.cc): no other would be loaded again
                self._replace(f"loading {target!r} did not return", generation)
                raise
            finally:
                container.controls -= 1

    def _replace(self, reason: str, generation: int) -> None:
        task = asyncio.create_task(self._container.replace_when_idle(reason, generation))
        self._replacing.add(task)
        task.add_done_callback(self._replacing.discard)

    async def _weigh(self, target: str) -> int:
        supervisor = self._container.server.supervisor
        return await asyncio.to_thread(memory.of_model, supervisor, self._disk.folder(target))
