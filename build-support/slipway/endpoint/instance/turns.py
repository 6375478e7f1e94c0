"""Control calls to one server, one at a time.

Triton keeps the repository of a model that it unloads registered until the call returns, half a
second later. A load that begins meanwhile, of a target with composing models of the same names,
finds them there, loads them as well, and no later unload ends them (PollModels in
model_repository_manager.cc, SageMakerMMEUnloadModel in sagemaker_server.cc; seen on 24.10).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# A load reads the repositories when it begins. Once it has taken longer than any such reading, the
# next call need not wait for it: it may be one that never ends.
TURN_S = 10.0


class Turns:
    """A lock in order of arrival, which each holder loses after :data:`TURN_S`."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold the turn until the block ends, or :data:`TURN_S` have passed."""
        await self._lock.acquire()
        is_held = True

        def end() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                self._lock.release()

        timer = asyncio.get_running_loop().call_later(TURN_S, end)
        try:
            yield
        finally:
            timer.cancel()
            end()
