"""Load and unload models in a container, which may die or hang of it and is then replaced."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from slipway.endpoint import memory
from slipway.endpoint.container import Container
from slipway.endpoint.disk import Disk
from slipway.endpoint.failure import model_error
from slipway.endpoint.limits import Limits
from slipway.server.client import RejectedError, ServerGoneError

STUBS_END_S = 5.0  # a model's processes end up to 1.5 s after its unload has returned
NOT_LOADED, ALREADY_LOADED, NO_MEMORY = 404, 409, 507

type Evict = Callable[[], Awaitable[bool]]
"""Unload a model that is not in use; return whether there was one."""


class Loader:
    """Loads artifacts on ``disk`` into the current server of ``container``."""

    def __init__(self, limits: Limits, disk: Disk, container: Container) -> None:
        self._limits = limits
        self._disk = disk
        self._container = container
        self._retry_lock = asyncio.Lock()
        self._replacing: set[asyncio.Task[None]] = set()

    async def load(self, target: str, evict: Evict, deadline: float) -> int:
        """Load a target and return its memory in bytes. ``deadline`` is in monotonic seconds.

        Raises:
            Failure: the server rejects it, or has died of it twice.
            TimeoutError: it was not loaded by ``deadline``.
        """
        generation, size = 0, 0
        while generation != self._container.generation or not self._container.is_ready:
            # repeated if the server ended before the caller could use the model
            generation = await self._load(target, evict, deadline)
            size = await self._measure(target)
        return size

    async def unload(self, target: str) -> bool:
        """Unload a target, wait until its processes have ended, and return whether the server did
        it.

        Otherwise the server is replaced, and the target ends with it.
        """
        container, started = self._container, time.monotonic()
        server, generation = container.server, container.generation
        container.controls += 1
        try:
            await container.calls.unload(target, self._limits.unload_s)
            folder = self._disk.folder(target)
            while (
                time.monotonic() < started + STUBS_END_S
                and generation == container.generation
                and await asyncio.to_thread(memory.has_processes, server.supervisor, folder)
            ):
                await asyncio.sleep(0.05)
            return True
        except RejectedError as error:
            if error.status != NOT_LOADED:
                container.replace(f"unloading {target!r} failed: {error.what}")
        except ServerGoneError:
            pass
        except TimeoutError:
            container.replace(f"unloading {target!r} did not return")
        finally:
            container.controls -= 1
        return False

    async def _load(self, target: str, evict: Evict, deadline: float) -> int:
        """Load a target and return the server's generation. If the server dies, retry on the next
        one, one at a time: then the target that a server dies of is known."""
        try:
            return await self._ask(target, evict, deadline)
        except ServerGoneError:
            async with self._retry_lock:
                since = self._container.log_file.stat().st_size
                try:
                    return await self._ask(target, evict, deadline)
                except ServerGoneError as gone:
                    server = self._container.server
                    error = server.load_error(target, gone.what, since)
                    raise model_error(
                        0, f"the server died twice during the load: {error}"
                    ) from gone

    async def _ask(self, target: str, evict: Evict, deadline: float) -> int:
        """Ask the current server to load a target, and return the server's generation.

        Raises:
            Failure: the server rejected it.
            ServerGoneError: it died, and its end is recorded when this is raised.
            TimeoutError: it did not answer by ``deadline``.
        """
        container = self._container
        while True:
            await container.ready(deadline - time.monotonic())
            generation, server = container.generation, container.server
            since = server.log_file.stat().st_size
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            container.controls += 1
            try:
                await container.calls.load(target, remaining)
                return generation
            except RejectedError as rejection:
                if rejection.status == ALREADY_LOADED:
                    return generation
                if rejection.status == NO_MEMORY and await evict():
                    continue
                error = server.load_error(target, rejection.what, since)
                raise model_error(rejection.status, str(error)) from rejection
            except ServerGoneError:
                await container.replaced(generation, self._limits.ping_s)
                raise
            except TimeoutError:
                # it loads one model at a time (sagemaker_server.cc): this load blocks all others
                self._replace(f"loading {target!r} did not return", generation)
                raise
            finally:
                container.controls -= 1

    def _replace(self, reason: str, generation: int) -> None:
        task = asyncio.create_task(self._container.replace_when_idle(reason, generation))
        self._replacing.add(task)
        task.add_done_callback(self._replacing.discard)

    async def _measure(self, target: str) -> int:
        supervisor = self._container.server.supervisor
        return await asyncio.to_thread(memory.model_memory, supervisor, self._disk.folder(target))
