"""One persistent HTTP/1.1 connection to a server on loopback, for one exchange at a time.

It speaks only what Triton's SageMaker port does, which gives every response a length: a general
client took most of the time that an invocation spent here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from slipway.server.client import ServerGoneError

LARGEST_HEAD = 65_536  # bytes


class ContainerResponse(NamedTuple):
    """An HTTP response, unchanged but for its headers' names, which are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Owner(Protocol):
    """What is to be known of connections."""

    def opened(self, connection: Connection) -> None:
        """Record a connection that was established."""

    def lost(self, connection: Connection) -> None:
        """Forget a connection that has ended."""


class Connection(asyncio.Protocol):
    """One connection. ``clear_of`` are those that certainly belong to other threads."""

    def __init__(self, owner: Owner) -> None:
        self.clear_of: set[Connection] = set()
        self._owner = owner
        self._received = bytearray()
        self._head: tuple[int, dict[str, str]] | None = None
        self._length = 0
        self._pending: asyncio.Future[ContainerResponse] | None = None

    async def exchange(self, request: bytes, timeout_s: float) -> ContainerResponse:
        """Send a request and return its response.

        Raises:
            ServerGoneError, TimeoutError: see :meth:`.connections.Connections.exchange`.
        """
        if self._transport.is_closing():
            raise gone_server("it closed the connection")
        loop = asyncio.get_running_loop()
        self._pending = loop.create_future()
        # asyncio.timeout would take longer than everything else here
        timer = loop.call_later(timeout_s, self._expire, timeout_s)
        try:
            self._transport.write(request)
            return await self._pending
        finally:
            timer.cancel()

    def _expire(self, timeout_s: float) -> None:
        if self._pending and not self._pending.done():
            self._pending.set_exception(TimeoutError(f"no answer in {timeout_s:g} s"))

    @property
    def is_reusable(self) -> bool:
        """Return whether the response has arrived and the next request can be sent."""
        return self._pending is None and not self._transport.is_closing()

    def abort(self) -> None:
        """Close the connection immediately."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            answer = self._parse_response()
        except ValueError as error:
            self._end(gone_server(f"its response is not the HTTP it speaks: {error}"))
            return
        if answer is None or self._pending is None:
            return
        if answer.headers.get("connection", "").lower() == "close":
            self._transport.close()
        if not self._pending.done():
            self._pending.set_result(answer)
        self._pending = None

    def connection_lost(self, error: Exception | None) -> None:
        self._end(gone_server(error or "it closed the connection"))
        self._owner.lost(self)

    def _end(self, gone: ServerGoneError) -> None:
        self._transport.abort()
        if self._pending and not self._pending.done():
            self._pending.set_exception(gone)

    def _parse_response(self) -> ContainerResponse | None:
        """Return the response once it is complete, else ``None``.

        Raises:
            ValueError: it is not a response, or has no length.
        """
        if self._pending is None:
            raise ValueError("unrequested data")
        if self._head is None:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                if len(self._received) > LARGEST_HEAD:
                    raise ValueError("its headers do not end")
                return None
            self._head, self._length = _parse_head(self._received[:end].decode("latin-1"))
            del self._received[: end + 4]
        if len(self._received) < self._length:
            return None
        if len(self._received) > self._length:
            raise ValueError("more bytes than its Content-Length")
        answer = ContainerResponse(*self._head, bytes(self._received))
        self._head = None
        self._received.clear()
        return answer


def _parse_head(head: str) -> tuple[tuple[int, dict[str, str]], int]:
    """Return status and headers, and the body's length.

    Raises:
        ValueError: see :meth:`Connection._parse_response`.
    """
    first, *lines = head.split("\r\n")
    version, status, *_ = first.split(" ", 2)
    if version != "HTTP/1.1":
        raise ValueError(f"{version!r:.40}")
    fields = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in fields}
    if "content-length" not in headers:
        raise ValueError("a response without Content-Length")
    return (int(status), headers), int(headers["content-length"])


def gone_server(why: object) -> ServerGoneError:
    return ServerGoneError(f"the Triton server does not answer: {why}")
