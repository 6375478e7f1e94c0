"""The instance's disk: artifacts are downloaded and extracted once, and never refreshed.

This is AWS's behaviour: an instance that has an object does not serve what overwrites it. When room
is needed, the least recently used artifact that is not loaded is removed first.
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
from typing import BinaryIO, cast

from slipway.artifact.extract import InsufficientSpace, extract, unpacked_size
from slipway.endpoint.failure import invalid, model_error
from slipway.endpoint.instance.objects import Objects
from slipway.errors import SlipwayError
from slipway.files import HashingReader, atomic_write
from slipway.server import command, cpu_fallback
from slipway.server.directories import ModelsDirectory

USABLE = 0.9  # of the volume's free bytes, if no limit is set
THREADS = 8  # concurrent downloads


@dataclass
class ExtractedModel:
    """An extracted artifact: bytes on the disk, the version of its object, when it was last used
    (monotonic seconds), how long download and extraction took (seconds)."""

    target: str
    size: int
    version: str
    used: float
    seconds: float


class Disk:
    """Extracted artifacts of at most ``limit`` bytes (0: most of the volume).

    ``pinned`` returns whether a target must not be removed.
    """

    def __init__(
        self,
        objects: Objects,
        models_directory: ModelsDirectory,
        limit: int,
        pinned: Callable[[str], bool],
    ) -> None:
        self._objects = objects
        self._models_directory = models_directory
        self._pinned = pinned
        self.limit = limit or int(shutil.disk_usage(models_directory.folder).free * USABLE)
        self.extracted: dict[str, ExtractedModel] = {}
        self._used = 0
        self._closed = False
        self._lock = threading.Lock()
        self._fetching: dict[str, asyncio.Task[ExtractedModel]] = {}
        # separate: a slow store delays nothing else
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="slipway-disk")

    @property
    def used_bytes(self) -> int:
        """Return the bytes in use, including what is still being extracted."""
        return self._used

    async def extract(
        self, target: str, evict: Callable[[], Awaitable[bool]]
    ) -> tuple[ExtractedModel, bool]:
        """Extract a target's artifact if it is not; return whether it had to be downloaded.

        ``evict`` unloads a model, so that its files can be removed, or waits until that is
        possible; it returns whether there is another model at all.

        Raises:
            Failure: the object does not exist, is not an artifact, or does not fit.
        """
        existing = self.extracted.get(target)
        if existing:
            existing.used = time.monotonic()
            return existing, False
        task = self._fetching.get(target)
        if task is None:
            task = asyncio.create_task(self._fetch(target, evict))
            self._fetching[target] = task
            task.add_done_callback(lambda done: self._end_fetch(target, done))
        # an abandoned load leaves the download to the next one
        return await asyncio.shield(task), True

    def _end_fetch(self, target: str, task: asyncio.Task[ExtractedModel]) -> None:
        del self._fetching[target]
        if not task.cancelled():
            task.exception()  # retrieved, even if no load waits any more

    async def _fetch(self, target: str, evict: Callable[[], Awaitable[bool]]) -> ExtractedModel:
        started = time.monotonic()
        try:
            stat = await self._in_thread(self._objects.stat, target)
            try:
                size = await self._in_thread(self._extract, target, 0)
            except InsufficientSpace:
                needed = await self._in_thread(self._measure, target)
                await self._make_room(needed, evict)
                size = await self._in_thread(self._extract, target, needed)
        except InsufficientSpace as error:
            raise model_error(507, f"No space left on device: {target!r} {error.what}") from error
        except SlipwayError as error:
            raise invalid(f"Failed to download model data ({target}): {error}") from error
        now = time.monotonic()
        self.extracted[target] = ExtractedModel(target, size, stat.version, now, now - started)
        return self.extracted[target]

    async def _in_thread[**P, T](
        self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, functools.partial(work, *args, **kwargs))

    def _extract(self, target: str, reserved: int) -> int:
        """Stream the object into its directory, which appears when it is complete; in a thread.
        ``reserved`` bytes of it are already counted."""
        used, read = 0, 0

        def count(size: int) -> None:
            nonlocal read
            read += size

        def reserve(size: int) -> None:
            nonlocal used
            if self._closed:
                raise SlipwayError("the endpoint is shutting down")
            self._reserve(min(size, max(0, used + size - reserved)))
            used += size

        try:
            with (
                self._objects.open(target) as stream,
                atomic_write(self._models_directory.directory_of(target)) as aside,
            ):
                hashing = HashingReader(stream, count)
                extract(cast(BinaryIO, hashing), aside / "model", name=target, reserve=reserve)
                self._objects.compare(target, hashing.drain(), read)
                if not command.has_gpu():
                    # the server's own message on a broken config is clearer than ours
                    with suppress(SlipwayError, OSError, ValueError):
                        cpu_fallback.to_cpu(aside / "model")
        except BaseException as error:
            self._release(max(used, reserved))
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise InsufficientSpace(f"does not fit: {error.strerror}") from error
            if isinstance(error, OSError):
                raise SlipwayError(f"reading or extracting it failed: {error}") from error
            raise
        self._release(max(0, reserved - used))
        return used

    def _measure(self, target: str) -> int:
        with self._objects.open(target) as stream:
            return unpacked_size(stream, name=target, limit=self.limit)

    def _reserve(self, size: int) -> None:
        with self._lock:
            if self._used + size > self.limit:
                raise InsufficientSpace(f"needs more than the {self.limit:,} bytes of the disk")
            self._used += size

    def _release(self, size: int) -> None:
        with self._lock:
            self._used -= size

    async def _make_room(self, needed: int, evict: Callable[[], Awaitable[bool]]) -> None:
        """Reserve ``needed`` bytes."""
        while True:
            with suppress(InsufficientSpace):
                self._reserve(needed)
                return
            removable = [p for p in self.extracted.values() if not self._pinned(p.target)]
            if removable:
                await self.remove(min(removable, key=lambda p: p.used).target)
            elif not await evict():
                raise InsufficientSpace(
                    f"needs {needed:,} bytes, {self.limit - self._used:,} are left,"
                    " and nothing else can be removed"
                )

    async def remove(self, target: str) -> None:
        """Delete a target's files."""
        removed = self.extracted.pop(target)
        directory = self._models_directory.directory_of(target)
        # from here on it may be downloaded again
        trash = directory.with_name(f".aside-{directory.name}-gone-{secrets.token_hex(4)}")
        with suppress(OSError):  # it was removed by other means
            directory.rename(trash)
        await asyncio.to_thread(shutil.rmtree, trash, ignore_errors=True)
        self._release(removed.size)

    async def close(self) -> None:
        """Cancel downloads; nothing is written any more when this returns."""
        self._closed = True
        for task in self._fetching.values():
            task.cancel()
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    async def stale(self) -> list[str]:
        """Return the targets on the disk whose objects have been overwritten since."""
        return await self._in_thread(self._stale, list(self.extracted.values()))

    def _stale(self, models: list[ExtractedModel]) -> list[str]:
        return [model.target for model in models if self._is_overwritten(model)]

    def _is_overwritten(self, model: ExtractedModel) -> bool:
        try:
            return self._objects.stat(model.target).version != model.version
        except Exception:  # deleted, or the store is unreachable: neither is an overwrite
            return False

    @property
    def models(self) -> Path:
        """Return the directory that holds every artifact's, each named as :meth:`folder_name`."""
        return self._models_directory.folder

    def folder_name(self, target: str) -> str:
        """Return the name of the directory of a target's artifact."""
        return self._models_directory.directory_of(target).name

    def folder(self, target: str) -> Path:
        """Return the directory of a target's artifact."""
        return self._models_directory.directory_of(target) / "model"
