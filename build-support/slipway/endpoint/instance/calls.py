"""Make the platform's calls to the container, asynchronously. See :mod:`slipway.server.client`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from slipway.endpoint.instance.connection import ContainerResponse
from slipway.endpoint.instance.connections import Connections
from slipway.server.client import HOST, TARGET, RejectedError, ServerGoneError
from slipway.server.server import Server
from slipway.triton import kserve


class Calls:
    """Calls to one server through one pool of persistent connections."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connections = Connections(server.port, server.entrance)
        self._heads: dict[str, str] = {}

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    async def load(self, target: str, timeout_s: float) -> None:
        """Load a target whose artifact is extracted.

        Raises:
            RejectedError: the server's answer; ``status`` 409 if it is already loaded.
            ServerGoneError, TimeoutError: it did not answer.
        """
        body = {
            "model_name": self._server.model_hash(target),
            "url": self._server.url(target),
        }
        await self._control("POST", "/models", target, json.dumps(body).encode(), timeout_s)

    async def unload(self, target: str, timeout_s: float) -> None:
        """Unload a target.

        Raises:
            RejectedError: ``status`` 404 if it is not loaded.
            ServerGoneError, TimeoutError: the server did not answer.
        """
        path = f"/models/{self._server.model_hash(target)}"
        await self._control("DELETE", path, target, b"", timeout_s)

    async def invoke(
        self, target: str, body: bytes, headers: Mapping[str, str], timeout_s: float
    ) -> ContainerResponse:
        """Invoke a target.

        Raises:
            ServerGoneError, TimeoutError: the server did not answer.
        """
        head = self._heads.get(target)
        if head is None:
            path = f"/models/{self._server.model_hash(target)}/invoke"
            head = self._heads[target] = _head("POST", path, target)
        return await self._connections.exchange(_request(head, headers, body), timeout_s)

    async def ping(self, timeout_s: float) -> bool:
        """Return whether the server answers, on a new connection: a persistent one may belong to a
        thread that is busy."""
        request = _request(_head("GET", "/ping", ""), {"Connection": "close"}, b"")
        try:
            answer = await self._connections.exchange(request, timeout_s, fresh=True)
        except (ServerGoneError, TimeoutError):
            return False
        return answer.status == 200

    async def _control(
        self, method: str, path: str, target: str, body: bytes, timeout_s: float
    ) -> None:
        request = _request(_head(method, path, target), {}, body)
        answer = await self._connections.control(request, timeout_s)
        if answer.status != 200:
            raise RejectedError(answer.status, kserve.message_of(answer.status, answer.body))


def _head(method: str, path: str, target: str) -> str:
    """Return the head of a request. The target's header has to be the same on every call."""
    return f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\n{TARGET}: {target}\r\n"


def _request(head: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    complete = f"{head}{lines}Content-Length: {len(body)}\r\n\r\n"
    # the reverse of how aiohttp decoded the caller's headers
    return complete.encode("utf-8", "surrogateescape") + body
