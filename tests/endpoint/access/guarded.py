"""The HTTP server of an endpoint with a guard; its models answer what they were asked."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import urlsplit

from aiohttp import web

from slipway.endpoint.access.opening import Opening
from slipway.endpoint.any_endpoint import AnyEndpoint
from slipway.endpoint.http.app import server
from slipway.endpoint.instance.connection import ContainerResponse
from slipway.endpoint.limits import Limits
from slipway.endpoint.observed.observer import Metrics, Observer
from slipway.endpoint.playground.api import Playground
from slipway.server.client import TARGET

PATH = "/endpoints/local/invocations"


class Echo:
    """An endpoint whose models answer with their own name and the request's body."""

    def __init__(self, name: str, metrics: Metrics) -> None:
        self.name = name
        self.limits = Limits()
        self.capture = None
        self.observer = Observer(name, metrics)

    async def invoke(
        self, target: str | None, body: bytes, headers: Mapping[str, str]
    ) -> tuple[ContainerResponse, bool]:
        """Answer at once."""
        answer = json.dumps({"target": target, "body": body.decode()}).encode()
        return ContainerResponse(200, {"content-type": "application/json"}, answer), True


class Guarded:
    """A server that runs, and what it recorded."""

    def __init__(self, url: str, metrics: Metrics, endpoint: Echo) -> None:
        self.url = url
        self.metrics = metrics
        self.endpoint = endpoint

    def ask(
        self,
        method: str = "POST",
        path: str = PATH,
        body: bytes = b"{}",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, http.client.HTTPMessage, dict[str, Any]]:
        """Return status, headers and JSON of one exchange."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            text = answer.read()
            is_json = "json" in answer.headers.get("Content-Type", "")
            return answer.status, answer.headers, json.loads(text) if is_json else {"text": text}
        finally:
            connection.close()

    def invoke(self, target: str, token: str | None = None, **more: str) -> tuple[int, str]:
        """Return the status and the error type of an invocation."""
        headers = {TARGET: target} | ({"Authorization": f"Bearer {token}"} if token else {}) | more
        status, answered, _ = self.ask(headers=headers)
        return status, answered.get("x-amzn-ErrorType", "")


@contextmanager
def serve(opening: Opening, name: str = "local") -> Iterator[Guarded]:
    """Serve an echo on loopback as ``opening`` says, in a thread."""
    metrics = Metrics()
    endpoint = Echo(name, metrics)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[web.ServerRunner, int]:
        runner = web.ServerRunner(
            server({name: cast(AnyEndpoint, endpoint)}, metrics, Playground({}), opening=opening),
            shutdown_timeout=0.1,
        )
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=opening.tls)
        await site.start()
        return runner, runner.addresses[0][1]

    runner, port = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield Guarded(opening.url(port), metrics, endpoint)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
