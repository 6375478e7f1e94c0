"""Load and unload models in a container, which may die or hang of it and is then replaced."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from slipway.endpoint.failure import model_error
from slipway.endpoint.instance import memory
from slipway.endpoint.instance.container import Container
from slipway.endpoint.instance.disk import Disk
from slipway.endpoint.instance.turns import Turns
from slipway.endpoint.limits import Limits
from slipway.endpoint.observed.timings import Timings
from slipway.errors import SlipwayError
from slipway.server.client import RejectedError, ServerGoneError
from slipway.server.stalled_load import POLL_S, LoadWatch

STUBS_END_S = 5.0  # a model's processes end up to 1.5 s after its unload has returned
END_LOAD_S = 15.0  # a load whose processes were killed fails within two seconds
NOT_LOADED, ALREADY_LOADED, NO_MEMORY = 404, 409, 507

type Evict = Callable[[], Awaitable[bool]]
"""Unload a model that is not in use; return whether there was one."""


@dataclass(frozen=True)
class _Answer:
    """A server's answer to a load: its generation, and its rejection, described by ``error``."""

    generation: int
    rejection: RejectedError | None = None
    error: str = ""


class Loader:
    """Loads artifacts on ``disk`` into the current server of ``container``."""

    def __init__(
        self, limits: Limits, disk: Disk, container: Container, timings: Timings | None = None
    ) -> None:
        self._limits = limits
        self._disk = disk
        self._container = container
        self._timings = timings or Timings()
        self._turns = Turns()
        self._retry_turns = Turns()
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
            loaded_at = time.monotonic()
            size = await self._measure(target)
            self._timings.settle.append(time.monotonic() - loaded_at)
        return size

    async def unload(self, target: str) -> bool:
        """Unload a target, wait until its processes have ended, and return whether the server did
        it.

        Otherwise the server is replaced, and the target ends with it.
        """
        container = self._container
        server, generation = container.server, container.generation
        async with self._turns.turn():
            began = time.monotonic()
            if generation != container.generation or not await self._ask_to_unload(target):
                return False
            self._timings.unload.append(time.monotonic() - began)
        unloaded_at, folder = time.monotonic(), self._disk.folder(target)
        while (
            time.monotonic() < unloaded_at + STUBS_END_S
            and generation == container.generation
            and await asyncio.to_thread(memory.has_processes, server.supervisor, folder)
        ):
            await asyncio.sleep(0.05)
        self._timings.ending.append(time.monotonic() - unloaded_at)
        return True

    async def _ask_to_unload(self, target: str) -> bool:
        """Return whether the current server has unloaded a target; else replace it."""
        container = self._container
        container.controls += 1
        try:
            await container.calls.unload(target, self._limits.unload_s)
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
        one, before and without any other: then the target that a server dies of is known.

        Raises:
            Failure: the server rejected it, or has died of it twice.
            TimeoutError: it was not loaded by ``deadline``.
        """
        while True:
            async with AsyncExitStack() as turn:
                async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                    await turn.enter_async_context(self._turns.turn())
                began = time.monotonic()
                try:
                    answer = await self._ask(target, deadline)
                except ServerGoneError:
                    # two loads that had lost their turns may be here
                    async with self._retry_turns.turn():
                        answer = await self._ask_again(target, deadline)
                loaded_at = time.monotonic()
            if answer.rejection is None or answer.rejection.status == ALREADY_LOADED:
                self._timings.load.append(loaded_at - began)
                return answer.generation
            if answer.rejection.status == NO_MEMORY and await evict():
                continue
            raise model_error(answer.rejection.status, answer.error) from answer.rejection

    async def _ask_again(self, target: str, deadline: float) -> _Answer:
        since = self._container.log_file.stat().st_size
        try:
            return await self._ask(target, deadline)
        except ServerGoneError as gone:
            error = self._container.server.load_error(target, gone.what, since)
            raise model_error(0, f"the server died twice during the load: {error}") from gone

    async def _ask(self, target: str, deadline: float) -> _Answer:
        """Ask the current server to load a target.

        Raises:
            ServerGoneError: it died, and its end is recorded when this is raised.
            TimeoutError: it did not answer by ``deadline``.
        """
        container = self._container
        while True:
            await container.ready(deadline - time.monotonic())
            server = container.server
            try:
                await asyncio.to_thread(server.prepare, target)
            except SlipwayError as missing:
                raise model_error(0, str(missing)) from missing
            watch = await asyncio.to_thread(server.watch_load)
            if container.server is server:  # it was not replaced meanwhile
                break
        generation = container.generation
        since = server.log_file.stat().st_size
        try:
            await self._ask_to_load(target, watch, deadline)
            return _Answer(generation)
        except RejectedError as rejection:
            error = str(server.load_error(target, rejection.what, since))
            return _Answer(generation, rejection, error)
        except ServerGoneError:
            await container.replaced(generation, self._limits.ping_s)
            raise

    async def _ask_to_load(self, target: str, watch: LoadWatch | None, deadline: float) -> None:
        """Make the load call, and end it if it cannot end by itself, or not by ``deadline``.

        Raises:
            RejectedError, ServerGoneError: see :meth:`Calls.load`.
            TimeoutError: it took too long; the server goes on with the others.
        """
        container, generation = self._container, self._container.generation
        ending = asyncio.create_task(self._end_load(target, watch, deadline))
        container.controls += 1
        try:
            remaining = max(0.0, deadline - time.monotonic())
            await container.calls.load(target, remaining + END_LOAD_S)
        except RejectedError:
            if time.monotonic() >= deadline:
                raise TimeoutError from None
            raise
        except TimeoutError:
            self._replace(f"loading {target!r} did not return", generation)
            raise
        finally:
            ending.cancel()
            container.controls -= 1
            if watch is not None:
                await asyncio.shield(asyncio.to_thread(watch.close))

    async def _end_load(self, target: str, watch: LoadWatch | None, deadline: float) -> None:
        """End a load that cannot end by itself, and any other at ``deadline``: without the model's
        processes the load fails, and the server keeps everything else that it has loaded."""
        supervisor = self._container.server.supervisor
        while (remaining := deadline - time.monotonic()) > 0:
            await asyncio.sleep(min(POLL_S, remaining))
            if watch is not None:
                await asyncio.to_thread(watch.poll)
        await asyncio.to_thread(memory.kill_processes, supervisor, self._disk.folder(target))

    def _replace(self, reason: str, generation: int) -> None:
        task = asyncio.create_task(self._container.replace_when_idle(reason, generation))
        self._replacing.add(task)
        task.add_done_callback(self._replacing.discard)

    async def _measure(self, target: str) -> int:
        supervisor = self._container.server.supervisor
        return await asyncio.to_thread(memory.model_memory, supervisor, self._disk.folder(target))
