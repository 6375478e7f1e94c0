"""Serve endpoints on loopback."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvloop
from aiohttp import web

from slipway import settings as configuration
from slipway.endpoint.any_endpoint import AnyEndpoint
from slipway.endpoint.containers.endpoint import run_containers
from slipway.endpoint.endpoint import run_endpoint
from slipway.endpoint.http.app import server
from slipway.endpoint.instance.objects import Objects
from slipway.endpoint.limits import Limits
from slipway.endpoint.observed.observer import Metrics, Observer
from slipway.endpoint.policy import Policy
from slipway.endpoint.protocol import LARGEST_BODY
from slipway.errors import SlipwayError
from slipway.server.client import HOST
from slipway.settings import Settings
from slipway.store.open_reader import open_endpoint

BACKLOG = 128


@dataclass(frozen=True)
class RunningEndpoints:
    """Endpoints that are served at ``url``."""

    url: str
    endpoints: dict[str, AnyEndpoint]


@asynccontextmanager
async def serve(
    settings: Settings,
    entries: Sequence[configuration.EndpointSettings],
    *,
    port: int = 0,
    limits: Callable[[configuration.EndpointSettings], Limits] | None = None,
    isolated: bool = True,
) -> AsyncIterator[RunningEndpoints]:
    """Serve the endpoints ``entries`` until the block ends; ``port`` 0 is any free one.
    Without ``isolated``, their servers' ports are this machine's.

    Raises:
        SlipwayError: the port is in use, the store cannot be read, no Triton is installed.
    """
    metrics = Metrics()
    endpoints: dict[str, AnyEndpoint] = {}
    async with AsyncExitStack() as stack:
        listening = stack.enter_context(_listening(port))
        for entry in entries:
            releases = open_endpoint(settings, entry)
            logs = settings.root / ".slipway" / "logs"
            observer, limit = Observer(entry.name, metrics), (limits or limits_of)(entry)
            if entry.containers:
                endpoints[entry.name] = await stack.enter_async_context(
                    run_containers(entry, settings, releases, limit, observer, logs, isolated)
                )
                continue
            log_file = logs / f"endpoint_{entry.name}.log"
            log_file.unlink(missing_ok=True)
            endpoints[entry.name] = await stack.enter_async_context(
                run_endpoint(
                    entry.name,
                    settings,
                    Objects(releases),
                    limit,
                    Policy(entry.allow),
                    observer,
                    log_file,
                    isolated,
                )
            )
        runner = web.ServerRunner(server(endpoints, metrics), shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listening).start()
        yield RunningEndpoints(f"http://{HOST}:{listening.getsockname()[1]}", endpoints)


def limits_of(configured: configuration.EndpointSettings) -> Limits:
    """Return an endpoint's limits, with the platform's own timeouts."""
    return Limits(
        models=configured.models,
        memory=configured.memory,
        disk=configured.disk,
        cached=configured.cache == "enabled",
        body=configured.largest_body or LARGEST_BODY,
    )


@contextmanager
def serve_in_thread(
    settings: Settings,
    entries: Sequence[configuration.EndpointSettings],
    *,
    port: int = 0,
    limits: Callable[[configuration.EndpointSettings], Limits] | None = None,
    isolated: bool = True,
) -> Iterator[RunningEndpoints]:
    """Serve as :func:`serve` does, in a separate thread, for callers that are not asynchronous."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="slipway-endpoint", daemon=True)
    thread.start()
    stack = AsyncExitStack()
    try:
        opened = stack.enter_async_context(
            serve(settings, entries, port=port, limits=limits, isolated=isolated)
        )
        yield asyncio.run_coroutine_threadsafe(opened, loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result()
        asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
            # immediately: until it listens, another process can bind it too
            listening.listen(BACKLOG)
        except (OSError, OverflowError) as error:
            raise SlipwayError(
                f"port {port} cannot be used: {getattr(error, 'strerror', error)}",
                fix="choose another one with --port; 0 is any free port",
            ) from error
        yield listening
