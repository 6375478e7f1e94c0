"""The instance's disk: artifacts are downloaded and extracted once, and never refreshed.

That a file once there is never fetched again is AWS's behaviour: what overwrites an object is not
served by an instance that has it. When room is needed, what was used longest ago and is not loaded
goes first.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import secrets
import shutil
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from slipway.artifact.extract import NoRoom, extract, unpacked_size
from slipway.endpoint.failure import invalid, of_model
from slipway.endpoint.objects import Objects
from slipway.errors import SlipwayError
from slipway.files import written_aside
from slipway.server import command, cpu_fallback
from slipway.server.directories import Kept

SPARE = 0.9  # of the volume's free bytes, where no limit is given
THREADS = 8  # downloads at once


@dataclass
class Placed:
    """An extracted artifact: bytes on the disk, the version of the object that it was, when it was
    last used (monotonic seconds), how long it took to come (seconds)."""

    target: str
    size: int
    version: str
    used: float
    seconds: float


class Disk:
    """Extracted artifacts in ``kept``, of at most ``limit`` bytes (0: most of the volume).

    ``pinned`` tells which targets have to stay.
    """

    def __init__(
        self, objects: Objects, kept: Kept, limit: int, pinned: Callable[[str], bool]
    ) -> None:
        self._objects = objects
        self._kept = kept
        self._pinned = pinned
        self.limit = limit or int(shutil.disk_usage(kept.folder).free * SPARE)
        self.placed: dict[str, Placed] = {}
        self._taken = 0
        self._closed = False
        self._lock = threading.Lock()
        self._fetching: dict[str, asyncio.Task[Placed]] = {}
        # of its own: a store that is slow keeps nothing else waiting
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="slipway-disk")

    @property
    def taken(self) -> int:
        """Bytes taken, by what is still being extracted too."""
        return self._taken

    async def place(self, target: str, evict: Callable[[], Awaitable[bool]]) -> tuple[Placed, bool]:
        """Have a target's artifact extracted; whether it had to be downloaded.

        ``evict`` unloads a model, so that its files can go, or waits until that is possible; it
        says whether there is another one at all.

        Raises:
            Failure: there is no such object, it is no artifact, or there is no room for it.
        """
        there = self.placed.get(target)
        if there:
            there.used = time.monotonic()
            return there, False
        task = self._fetching.get(target)
        if task is None:
            task = asyncio.create_task(self._fetch(target, evict))
            self._fetching[target] = task
            task.add_done_callback(lambda done: self._fetched(target, done))
        # a load that is given up leaves the download to the next one
        return await asyncio.shield(task), True

    def _fetched(self, target: str, task: asyncio.Task[Placed]) -> None:
        del self._fetching[target]
        if not task.cancelled():
            task.exception()  # seen, even where nobody waits any more

    async def _fetch(self, target: str, evict: Callable[[], Awaitable[bool]]) -> Placed:
        started = time.monotonic()
        try:
            stat = await self._in_thread(self._objects.stat, target)
            try:
                size = await self._in_thread(self._extract, target, 0)
            except NoRoom:
                needed = await self._in_thread(self._measure, target)
                await self._make_room(needed, evict)
                size = await self._in_thread(self._extract, target, needed)
        except NoRoom as error:
            raise of_model(507, f"No space left on device: {target!r} {error.what}") from error
        except SlipwayError as error:
            raise invalid(f"Failed to download model data ({target}): {error}") from error
        now = time.monotonic()
        self.placed[target] = Placed(target, size, stat.version, now, now - started)
        return self.placed[target]

    async def _in_thread[**P, T](
        self, work: Callable[P, T], *given: P.args, **named: P.kwargs
    ) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, functools.partial(work, *given, **named))

    def _extract(self, target: str, reserved: int) -> int:
        """In a thread: stream the object into its folder, which appears when it is whole.
        Of what it takes, ``reserved`` bytes are counted already."""
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            if self._closed:
                raise SlipwayError("the endpoint is ending")
            self._reserve(min(size, max(0, taken + size - reserved)))
            taken += size

        try:
            with self._objects.open(target) as stream:
                with written_aside(self._kept.place(target)) as aside:
                    extract(stream, aside / "model", name=target, take=take)
                    if not command.has_gpu():
                        # the server's own words on a broken config are clearer than ours
                        with suppress(SlipwayError, OSError, ValueError):
                            cpu_fallback.to_cpu(aside / "model")
        except BaseException as error:
            self._give(max(taken, reserved))
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoRoom(f"does not fit: {error.strerror}") from error
            if isinstance(error, OSError):
                raise SlipwayError(f"reading or extracting it failed: {error}") from error
            raise
        self._give(max(0, reserved - taken))
        return taken

    def _measure(self, target: str) -> int:
        with self._objects.open(target) as stream:
            return unpacked_size(stream, name=target, most=self.limit)

    def _reserve(self, size: int) -> None:
        with self._lock:
            if self._taken + size > self.limit:
                raise NoRoom(f"needs more than the {self.limit:,} bytes of the disk")
            self._taken += size

    def _give(self, size: int) -> None:
        with self._lock:
            self._taken -= size

    async def _make_room(self, needed: int, evict: Callable[[], Awaitable[bool]]) -> None:
        """Reserve ``needed`` bytes."""
        while True:
            with suppress(NoRoom):
                self._reserve(needed)
                return
            spare = [p for p in self.placed.values() if not self._pinned(p.target)]
            if spare:
                await self.remove(min(spare, key=lambda p: p.used).target)
            elif not await evict():
                raise NoRoom(
                    f"needs {needed:,} bytes, {self.limit - self._taken:,} are left,"
                    " and nothing else can go"
                )

    async def remove(self, target: str) -> None:
        """Delete a target's files."""
        gone = self.placed.pop(target)
        place = self._kept.place(target)
        # from here on it may be fetched anew
        doomed = place.with_name(f".aside-{place.name}-gone-{secrets.token_hex(4)}")
        with suppress(OSError):  # somebody has cleaned up
            place.rename(doomed)
        await asyncio.to_thread(shutil.rmtree, doomed, ignore_errors=True)
        self._give(gone.size)

    async def close(self) -> None:
        """Give up what is being fetched; nothing is written any more when this returns."""
        self._closed = True
        for task in self._fetching.values():
            task.cancel()
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    async def stale(self) -> list[str]:
        """The targets on the disk whose objects have been overwritten since."""
        return await self._in_thread(self._stale, list(self.placed.values()))

    def _stale(self, placed: list[Placed]) -> list[str]:
        return [p.target for p in placed if self._overwritten(p)]

    def _overwritten(self, placed: Placed) -> bool:
        try:
            return self._objects.stat(placed.target).version != placed.version
        except Exception:  # deleted, or the store cannot be reached: neither is an overwriting
            return False

    def folder(self, target: str) -> Path:
        """Where a target's artifact lies."""
        return self._kept.place(target) / "model"
