"""An endpoint over HTTP like the local one, with a behaviour that a test sets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web

from slipway.triton import kserve
from slipway.triton.datatypes import Array

TARGET = "X-Amzn-SageMaker-Target-Model"


@dataclass
class FakeEndpoint:
    """An endpoint at ``url``. ``seen`` has the headers of each invocation, with ``path``.

    ``seconds`` is how long an invocation of a target takes, ``failures`` its error (status,
    type, message). The first invocation of a target waits for its load; a header reports that,
    unless ``reports_cache`` is false. No request is answered before ``hold`` invocations arrived.
    """

    seconds: Callable[[str], float] = lambda _: 0.0
    failures: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    outputs: Mapping[str, Array] = field(default_factory=dict)
    reports_cache: bool = True
    hold: int = 0
    url: str = ""
    seen: list[dict[str, str]] = field(default_factory=list)
    loaded: set[str] = field(default_factory=set)

    async def invoke(self, request: web.Request) -> web.Response:
        """Answer one invocation."""
        target = request.headers[TARGET]
        self.seen.append(dict(request.headers) | {"path": request.path})
        await request.read()
        cold = target not in self.loaded
        self.loaded.add(target)
        await asyncio.sleep(self.seconds(target))
        while len(self.seen) < self.hold:
            await asyncio.sleep(0.01)
        if target in self.failures:
            status, kind, message = self.failures[target]
            return web.json_response(
                {"Message": message}, status=status, headers={"x-amzn-ErrorType": kind}
            )
        body, content_type = kserve.encode(self.outputs)
        headers = {"Content-Type": content_type}
        if self.reports_cache:
            headers["X-Slipway-Model-Cache"] = "load" if cold else "hit"
        return web.Response(body=body, headers=headers)


@contextmanager
def serving(endpoint: FakeEndpoint) -> Iterator[FakeEndpoint]:
    """Serve ``endpoint`` on loopback until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> web.AppRunner:
        application = web.Application()
        application.router.add_post("/endpoints/{name}/invocations", endpoint.invoke)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    runner = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield endpoint
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
