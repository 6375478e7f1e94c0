"""Replies of SageMaker's runtime API, in the order that a test sets."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from aiohttp import web
from tritonclient.utils import serialize_byte_tensor

from slipway.endpoint.protocol import INFERENCE_ID
from slipway.triton.datatypes import Array, datatype_of
from slipway.triton.kserve import BINARY

TARGET = "X-Amzn-SageMaker-Target-Model"


class ReceivedRequest(NamedTuple):
    """A request as it was received."""

    endpoint: str
    target: str
    content_type: str
    body: bytes
    inference_id: str = ""


class Reply(NamedTuple):
    """A response; without ``status``, the connection is closed instead."""

    status: int | None
    body: bytes = b""
    error: str | None = None
    content_type: str = "application/json"


def outputs(arrays: Mapping[str, Array]) -> Reply:
    """Return outputs as Triton sends them: binary tensors behind a JSON header."""
    parts = {
        name: serialize_byte_tensor(array).item() if array.dtype == object else array.tobytes()
        for name, array in arrays.items()
    }
    entries = [
        {
            "name": name,
            "shape": list(array.shape),
            "datatype": datatype_of(array),
            "parameters": {"binary_data_size": len(parts[name])},
        }
        for name, array in arrays.items()
    ]
    header = json.dumps({"outputs": entries}).encode()
    body = header + b"".join(parts.values())
    return Reply(200, body, content_type=f"{BINARY}{len(header)}")


def error(status: int, code: str, message: str = "", **more: Any) -> Reply:
    """Return an error as the platform sends it."""
    return Reply(status, json.dumps({"Message": message, **more}).encode(), code)


CLOSED = Reply(None)
THROTTLED = error(429, "ThrottlingException", "Rate exceeded")
NOT_READY = error(429, "ModelNotReadyException", "it is being loaded")
UNAVAILABLE = error(503, "ServiceUnavailable", "no capacity")
SCORE = outputs({"SCORE": np.array([[0.5]], np.float32)})


@dataclass
class FakeRuntime:
    """Send ``replies`` first, in their order; then what ``otherwise`` returns for the request."""

    url: str = ""
    replies: list[Reply] = field(default_factory=list)
    requests: list[ReceivedRequest] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)
    otherwise: Callable[[ReceivedRequest], Reply] = lambda request: SCORE

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        received = ReceivedRequest(
            request.match_info["name"],
            request.headers.get(TARGET, ""),
            request.headers.get("Content-Type", ""),
            await request.read(),
            request.headers.get(INFERENCE_ID, ""),
        )
        self.requests.append(received)
        number = len(self.requests)
        assert request.transport is not None
        self.connections.add(request.transport.get_extra_info("peername"))
        if self.replies:
            reply = self.replies.pop(0)
        else:
            # in a thread: it may wait for the test
            reply = await asyncio.to_thread(self.otherwise, received)
        if reply.status is None:
            request.transport.close()
            return web.Response()
        headers = {
            "Content-Type": reply.content_type,
            "x-amzn-RequestId": f"request-{number}",
            "x-amzn-Invoked-Production-Variant": "AllTraffic",
        }
        if reply.error:
            headers["x-amzn-ErrorType"] = reply.error
        return web.Response(status=reply.status, body=reply.body, headers=headers)


@contextmanager
def running() -> Iterator[FakeRuntime]:
    """Run a fake runtime on loopback, under every endpoint name, in its own thread."""
    fake = FakeRuntime()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> web.AppRunner:
        application = web.Application(client_max_size=1 << 24)
        application.router.add_post("/endpoints/{name}/invocations", fake._handle)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    runner = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield fake
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
