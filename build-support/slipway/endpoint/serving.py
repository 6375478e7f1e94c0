"""Serve endpoints on loopback, or opened to others behind a guard."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace

import uvloop
from aiohttp import web

from slipway import settings as configuration
from slipway.capture.writer import FindRules
from slipway.catalog.captured_models import pipeline_rules, rules_finder
from slipway.catalog.reader import CatalogReader
from slipway.endpoint.access.opening import Opening
from slipway.endpoint.any_endpoint import AnyEndpoint
from slipway.endpoint.capture import run_capture
from slipway.endpoint.containers.endpoint import run_containers
from slipway.endpoint.endpoint import run_endpoint
from slipway.endpoint.http.app import server
from slipway.endpoint.instance.objects import Objects
from slipway.endpoint.limits import Limits
from slipway.endpoint.observed.observer import Metrics, Observer
from slipway.endpoint.playground.api import Playground
from slipway.endpoint.playground.served import Served
from slipway.endpoint.policy import Policy
from slipway.endpoint.protocol import LARGEST_BODY
from slipway.errors import SlipwayError
from slipway.settings import Settings
from slipway.store.open_reader import open_endpoint
from slipway.store.stage import StageReader

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
    opening: Opening | None = None,
) -> AsyncIterator[RunningEndpoints]:
    """Serve the endpoints ``entries`` until the block ends; ``port`` 0 is any free one.
    Without ``isolated``, their servers' ports are this machine's. ``opening`` is by default this
    machine's loopback, without a guard.

    Raises:
        SlipwayError: the port is in use, the store cannot be read, no Triton is installed.
    """
    metrics = Metrics()
    endpoints: dict[str, AnyEndpoint] = {}
    stages: dict[str, StageReader] = {}
    opening = opening or Opening()
    async with AsyncExitStack() as stack:
        listening = stack.enter_context(_listening(opening.address, port))
        for entry in entries:
            releases = stages[entry.name] = open_endpoint(settings, entry)
            logs = settings.root / ".slipway" / "logs"
            observer, limit = Observer(entry.name, metrics), (limits or limits_of)(entry)
            capture = None
            if entry.capture:
                find_rules = _rules_finder(CatalogReader(releases), entry)
                capture = await stack.enter_async_context(
                    run_capture(entry, settings, find_rules, observer, metrics)
                )
            if entry.containers:
                endpoints[entry.name] = await stack.enter_async_context(
                    run_containers(entry, settings, releases, limit, observer, logs, isolated)
                )
                endpoints[entry.name].capture = capture
                continue
            log_file = logs / f"endpoint_{entry.name}.log"
            log_file.unlink(missing_ok=True)
            endpoints[entry.name] = await stack.enter_async_context(
                run_endpoint(
                    entry.name,
                    _as_served(settings, entry),
                    Objects(releases),
                    limit,
                    Policy(entry.allow),
                    observer,
                    log_file,
                    isolated,
                )
            )
            endpoints[entry.name].capture = capture
        playground = Playground(
            {
                entry.name: Served(endpoints[entry.name], stages[entry.name], entry, settings)
                for entry in entries
            }
        )
        app = server(endpoints, metrics, playground, opening=opening)
        runner = web.ServerRunner(app, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listening, ssl_context=opening.tls).start()
        yield RunningEndpoints(opening.url(listening.getsockname()[1]), endpoints)


def _as_served(settings: Settings, entry: configuration.EndpointSettings) -> Settings:
    """Return the settings of the server of an endpoint, whose image has the environments that were
    given, or those that ``slipway.toml`` says."""
    if settings.served_environments is not None:
        return settings
    return replace(settings, served_environments=settings.stage(entry.stage).base_environments)


def _rules_finder(catalog: CatalogReader, entry: configuration.EndpointSettings) -> FindRules:
    if entry.mode == "serial":
        return lambda target: pipeline_rules(catalog, entry.containers)
    return rules_finder(catalog)


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
    opening: Opening | None = None,
) -> Iterator[RunningEndpoints]:
    """Serve as :func:`serve` does, in a separate thread, for callers that are not asynchronous."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="slipway-endpoint", daemon=True)
    thread.start()
    stack = AsyncExitStack()
    try:
        opened = stack.enter_async_context(
            serve(settings, entries, port=port, limits=limits, isolated=isolated, opening=opening)
        )
        yield asyncio.run_coroutine_threadsafe(opened, loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result()
        asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def _listening(address: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((address, port))
            # immediately: until it listens, another process can bind it too
            listening.listen(BACKLOG)
        except (OSError, OverflowError) as error:
            if isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL:
                raise SlipwayError(
                    f"{address} is no address of this machine",
                    fix="--listen 0.0.0.0 is every address of it",
                ) from error
            raise SlipwayError(
                f"port {port} cannot be used: {getattr(error, 'strerror', error)}",
                fix="choose another one with --port; 0 is any free port",
            ) from error
        yield listening
