"""A container that is started again when it ends."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path

import aiohttp

from slipway.endpoint.containers.definition import ContainerDefinition
from slipway.endpoint.failure import model_error, unavailable
from slipway.endpoint.instance.connection import ContainerResponse
from slipway.endpoint.instance.objects import Objects
from slipway.endpoint.limits import Limits
from slipway.errors import SlipwayError
from slipway.files import HashingReader
from slipway.server import network
from slipway.server.client import HOST
from slipway.server.container import call
from slipway.server.container.process import ContainerProcess, start_container
from slipway.server.supervisor_client import describe_exit
from slipway.settings import Settings

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
NOTICE_S = 5.0  # a process whose connections end has mostly ended, and is seen to within this


class RunningContainer:
    """One container of an endpoint. ``restarted`` is called with the reason when it has ended.

    ``process`` is the current one.
    """

    def __init__(
        self,
        definition: ContainerDefinition,
        settings: Settings,
        log_file: Path,
        limits: Limits,
        restarted: Callable[[str], None],
        isolated: bool = True,
    ) -> None:
        self.definition = definition
        self.log_file = log_file
        self.process: ContainerProcess | None = None
        self._settings = settings
        self._limits = limits
        self._restarted = restarted
        self._isolated = isolated
        self._session: aiohttp.ClientSession | None = None
        self._ready = asyncio.Event()
        self._ended = asyncio.Event()

    @property
    def is_ready(self) -> bool:
        """Return whether it answers."""
        return self._ready.is_set()

    async def invoke(
        self, body: bytes, headers: Mapping[str, str], timeout_s: float
    ) -> ContainerResponse:
        """Return the container's answer, whatever its status.

        Raises:
            Failure: 424, there was none within ``timeout_s``, or it ended meanwhile; 503, it is
                being restarted.
        """
        name = self.definition.hostname
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError:
            raise unavailable(f"the container {name} ended, and is not ready again") from None
        assert self._session is not None
        try:
            async with asyncio.timeout(timeout_s):
                url = f"http://{HOST}/invocations"
                async with self._session.post(url, data=body, headers=headers) as response:
                    named = {key.lower(): value for key, value in response.headers.items()}
                    return ContainerResponse(response.status, named, await response.read())
        except TimeoutError:
            what = f"Your invocation timed out while waiting for a response from container {name}"
            raise model_error(0, f"{what}: it has {self._limits.invocation_s:g} s", name) from None
        except aiohttp.ClientError as error:
            # the next request then waits for the new process, and is not sent to the old one
            with suppress(TimeoutError):
                async with asyncio.timeout(NOTICE_S):
                    await self._ended.wait()
            raise model_error(0, f"the container ended the connection: {error}", name) from error

    async def run(self, objects: Objects, started: asyncio.Future[None]) -> None:
        """Keep the container running until cancelled. ``started`` is done once it is ready, or gets
        the error of its first start."""
        pause = FIRST_PAUSE_S
        folder = Path(tempfile.mkdtemp(prefix="slipway_artifact_"))
        try:
            artifact = folder / self.definition.target
            try:
                await asyncio.to_thread(_download, objects, self.definition.target, artifact)
            except SlipwayError as error:
                started.set_exception(error)
                return
            while True:
                with ExitStack() as stack:
                    try:
                        reason = await self._serve(artifact, stack, started)
                        pause = FIRST_PAUSE_S
                    except SlipwayError as error:
                        if not started.done():
                            started.set_exception(error)
                            return
                        reason = f"did not start: {error.what}"
                    except Exception as bug:  # whoever waits for the start has to see it
                        if not started.done():
                            started.set_exception(bug)
                        raise
                    finally:
                        self._ready.clear()
                        await asyncio.shield(asyncio.to_thread(stack.close))
                self._restarted(reason)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _serve(self, artifact: Path, stack: ExitStack, started: asyncio.Future[None]) -> str:
        """Start the container, serve until it ends, and return how it ended."""
        declared = self._settings.containers.get(self.definition.name)
        opening = start_container(
            artifact,
            self._settings,
            log_file=self.log_file,
            environment=declared.environment if declared else None,
            isolated=self._isolated,
        )
        starting = asyncio.create_task(asyncio.to_thread(_start, stack, opening))
        try:
            self.process = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # a thread cannot be cancelled: the container that it starts has to be stopped
            with suppress(SlipwayError):
                await starting
            raise
        async with _session(self.process) as self._session:
            self._ended.clear()
            self._ready.set()
            if not started.done():
                started.set_result(None)
            pipe = self.process.process.stdout
            assert pipe is not None
            loop = asyncio.get_running_loop()
            ended: asyncio.Future[None] = loop.create_future()
            loop.add_reader(pipe.fileno(), _set_once, ended)
            try:
                await ended
            finally:
                self._ready.clear()
                self._ended.set()
                loop.remove_reader(pipe.fileno())
            return f"ended {describe_exit(pipe.readline())}"


def _set_once(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)


def _start(stack: ExitStack, opening: AbstractContextManager[ContainerProcess]) -> ContainerProcess:
    process = stack.enter_context(opening)
    call.await_ready(process)
    return process


def _session(process: ContainerProcess) -> aiohttp.ClientSession:
    """Return a session that leads into the container's network, to its port whatever the URL."""
    timeout = aiohttp.ClientTimeout(total=None)
    if process.entrance is None:
        base = f"http://{HOST}:{process.place.port}"
        return aiohttp.ClientSession(base, timeout=timeout, auto_decompress=False)
    path = str(network.http_socket(process.entrance))
    connector = aiohttp.UnixConnector(path=path)
    return aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False)


def _download(objects: Objects, target: str, artifact: Path) -> None:
    """Write the object of ``target`` to ``artifact``, and compare it with its record."""
    with objects.open(target) as stream, artifact.open("wb") as file:
        hashing = HashingReader(stream)
        shutil.copyfileobj(hashing, file)
        objects.compare(target, hashing.drain(), file.tell())
