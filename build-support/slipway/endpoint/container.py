"""One Triton server that is replaced when it dies, hangs, or a model's process in it is dead."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from slipway.endpoint.calls import Calls
from slipway.endpoint.failure import unavailable
from slipway.endpoint.limits import Limits
from slipway.errors import SlipwayError
from slipway.server import triton
from slipway.server.directories import Kept
from slipway.server.triton import Server
from slipway.settings import Settings

MISSED = 3  # pings without an answer mean that the server hangs
DRAIN_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0


class Container:
    """``lost`` is called with the reason when a server has ended, before the next one starts.

    ``generation`` counts the servers; what was loaded in one is not in the next.
    """

    def __init__(
        self,
        settings: Settings,
        kept: Kept,
        log_file: Path,
        limits: Limits,
        lost: Callable[[str], None],
    ) -> None:
        self.generation = 0
        self.in_flight = 0
        self.controls = 0  # loads and unloads that are under way
        self.log_file = log_file
        self.server: Server
        self.calls: Calls
        self._settings = settings
        self._kept = kept
        self._limits = limits
        self._lost = lost
        self._ready = asyncio.Event()
        self._replace: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def is_ready(self) -> bool:
        """Whether there is a server that takes requests."""
        return self._ready.is_set()

    async def ready(self, timeout_s: float) -> None:
        """Wait for a server.

        Raises:
            Failure: 503, there is none in ``timeout_s``.
        """
        if self._ready.is_set():
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError:
            raise unavailable(
                f"the Triton server was restarted and is not back after {timeout_s:g} s"
            ) from None

    async def replaced(self, generation: int, timeout_s: float) -> None:
        """Wait until ``generation`` is over, or ``timeout_s``."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self.generation == generation and self._ready.is_set():
                    await asyncio.sleep(0.01)

    def replace(self, reason: str) -> None:
        """End the present server; the next one starts at once."""
        if not self._replace.done():
            self._ready.clear()
            self._replace.set_result(reason)

    async def replace_when_idle(self, reason: str, generation: int) -> None:
        """As :meth:`replace`, of that ``generation``, once requests under way are answered, or
        after :data:`DRAIN_S`; later ones wait."""
        if generation != self.generation:
            return
        self._ready.clear()
        deadline = time.monotonic() + DRAIN_S
        while self.in_flight and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        if generation == self.generation:
            self.replace(reason)

    async def run(self, started: asyncio.Future[None]) -> None:
        """Keep a server running until cancelled. ``started`` is done once the first one is there.

        The first start that fails is told to ``started``; later ones are tried again.
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
        opening = triton.start(self._settings, log_file=self.log_file, kept=self._kept)
        starting = asyncio.create_task(asyncio.to_thread(stack.enter_context, opening))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # a thread cannot be cancelled: what it starts has to be ended
            with suppress(SlipwayError):
                await starting
            raise

    async def _watch(self) -> str:
        """Wait until the server has to be replaced; why."""
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        assert self.server.ended is not None
        pipe = self.server.ended

        def heard() -> None:
            loop.remove_reader(pipe.fileno())
            ended.set_result(None)

        loop.add_reader(pipe.fileno(), heard)
        hanging = asyncio.create_task(self._hanging())
        try:
            await asyncio.wait({ended, hanging, self._replace}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hanging.cancel()
            loop.remove_reader(pipe.fileno())
        if ended.done():
            return f"the Triton server ended{_how(pipe.readline())}"
        return self._replace.result() if self._replace.done() else await hanging

    async def _hanging(self) -> str:
        """Return once the server gives no sign of life."""
        missed, answered = 0, time.monotonic()
        while True:
            await asyncio.sleep(self._limits.ping_s)
            if await self.calls.ping(self._limits.ping_s):
                missed, answered = 0, time.monotonic()
                continue
            missed += 1
            silent = time.monotonic() - answered
            # a load may hold every thread that a ping could be given to
            patience = self._limits.load_s if self.controls else 0.0
            if missed >= MISSED and silent > patience:
                return f"the Triton server hung: no answer to a ping for {silent:.0f} s"


def _how(line: bytes) -> str:
    """What the supervisor says of an end: a status, or a signal as a negative number."""
    try:
        code = int(json.loads(line)["exit"])
    except (ValueError, KeyError):
        return ""
    return f" by signal {-code}" if code < 0 else f" with status {code}"
