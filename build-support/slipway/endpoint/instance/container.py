"""A Triton server that is replaced when it dies, hangs, or one of its models' processes dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from slipway.endpoint.failure import unavailable
from slipway.endpoint.instance.calls import Calls
from slipway.endpoint.limits import Limits
from slipway.errors import SlipwayError
from slipway.server import triton
from slipway.server.directories import ModelsDirectory
from slipway.server.server import Server
from slipway.server.supervisor_client import describe_exit
from slipway.settings import Settings

MISSED_PINGS = 3  # in a row mean that the server hangs
DRAIN_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0


class Container:
    """A server that is kept running. ``lost`` is called with the reason when a server has ended,
    before the next one starts. ``generation`` counts the servers: the next one has no model loaded.
    """

    def __init__(
        self,
        settings: Settings,
        models_directory: ModelsDirectory,
        log_file: Path,
        limits: Limits,
        lost: Callable[[str], None],
        isolated: bool = True,
    ) -> None:
        self.generation = 0
        self.in_flight = 0
        self.controls = 0  # loads and unloads in progress
        self.log_file = log_file
        self.server: Server
        self.calls: Calls
        self._settings = settings
        self._models_directory = models_directory
        self._limits = limits
        self._lost = lost
        self._isolated = isolated
        self._ready = asyncio.Event()
        self._replace: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def is_ready(self) -> bool:
        """Return whether a server accepts requests."""
        return self._ready.is_set()

    async def ready(self, timeout_s: float) -> None:
        """Wait for a server.

        Raises:
            Failure: 503, none is ready within ``timeout_s``.
        """
        if self._ready.is_set():
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError:
            raise unavailable(
                f"the Triton server was restarted and is not ready after {timeout_s:g} s"
            ) from None

    async def replaced(self, generation: int, timeout_s: float) -> None:
        """Wait until ``generation`` has ended, at most ``timeout_s``."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self.generation == generation and self._ready.is_set():
                    await asyncio.sleep(0.01)

    def replace(self, reason: str) -> None:
        """Stop the current server; the next one starts immediately."""
        if not self._replace.done():
            self._ready.clear()
            self._replace.set_result(reason)

    async def replace_when_idle(self, reason: str, generation: int) -> None:
        """Replace the server of that ``generation`` once requests in flight are answered, or after
        :data:`DRAIN_S`; later requests wait."""
        if generation != self.generation:
            return
        self._ready.clear()
        deadline = time.monotonic() + DRAIN_S
        while self.in_flight and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        if generation == self.generation:
            self.replace(reason)

    async def run(self, started: asyncio.Future[None]) -> None:
        """Keep a server running until cancelled. ``started`` is done once the first one is ready.

        If the first start fails, ``started`` gets the error; later starts are retried.
        """
        pause = FIRST_PAUSE_S
        while True:
            with ExitStack() as stack:
                try:
                    self.server = await self._start(stack)
                except SlipwayError as error:
                    if not started.done():
                        started.set_exception(error)
                        return
                    self._lost(f"the Triton server did not start: {error.what}")
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE_S)
                    continue
                pause = FIRST_PAUSE_S
                self.calls = Calls(self.server)
                self.generation += 1
                self._replace = asyncio.get_running_loop().create_future()
                self._ready.set()
                if not started.done():
                    started.set_result(None)
                try:
                    reason = await self._watch()
                finally:
                    self._ready.clear()
                    self.calls.close()
                    await asyncio.shield(asyncio.to_thread(stack.close))
                self._lost(reason)

    async def _start(self, stack: ExitStack) -> Server:
        opening = triton.start(
            self._settings,
            log_file=self.log_file,
            models_directory=self._models_directory,
            isolated=self._isolated,
        )
        starting = asyncio.create_task(asyncio.to_thread(stack.enter_context, opening))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # a thread cannot be cancelled: the server that it starts has to be stopped
            with suppress(SlipwayError):
                await starting
            raise

    async def _watch(self) -> str:
        """Wait until the server has to be replaced, and return the reason."""
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        assert self.server.ended is not None
        pipe = self.server.ended

        def on_end() -> None:
            loop.remove_reader(pipe.fileno())
            ended.set_result(None)

        loop.add_reader(pipe.fileno(), on_end)
        hanging = asyncio.create_task(self._wait_for_hang())
        try:
            await asyncio.wait({ended, hanging, self._replace}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hanging.cancel()
            loop.remove_reader(pipe.fileno())
        if ended.done():
            return f"the Triton server ended {describe_exit(pipe.readline())}"
        return self._replace.result() if self._replace.done() else await hanging

    async def _wait_for_hang(self) -> str:
        """Wait until the server answers no ping any more, and return the reason."""
        missed, last_answer = 0, time.monotonic()
        while True:
            await asyncio.sleep(self._limits.ping_s)
            if await self.calls.ping(self._limits.ping_s):
                missed, last_answer = 0, time.monotonic()
                continue
            missed += 1
            silent = time.monotonic() - last_answer
            # a load may hold every thread that a ping could be given to
            patience = self._limits.load_s if self.controls else 0.0
            if missed >= MISSED_PINGS and silent > patience:
                return f"the Triton server hung: no answer to a ping for {silent:.0f} s"
