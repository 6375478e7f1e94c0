"""Kept HTTP/1.1 connections to one server on loopback, for one exchange at a time each.

Only what Triton's SageMaker port speaks, which gives every answer a length: a general client took
most of the time that an invocation spent here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from slipway.server.client import HOST, ServerGone

LARGEST_HEAD = 65_536  # bytes


class Answer(NamedTuple):
    """An HTTP answer as it came; the names of its headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections:
    """As many as there are exchanges at once."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._closed = False
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()

    def close(self) -> None:
        """Close every connection; whoever waits for an answer hears that the server is gone."""
        self._closed = True
        for connection in list(self._open):
            connection.abort()

    async def exchange(self, request: bytes, timeout_s: float, *, fresh: bool = False) -> Answer:
        """Send a request and await its answer; ``fresh`` takes a connection that is used once.

        Raises:
            ServerGone: the connection was refused or broke, or what came is no answer.
            TimeoutError: no answer in ``timeout_s``.
        """
        keep = self._idle and not fresh
        connection = self._idle.pop() if keep else await self._connect(timeout_s)
        try:
            return await connection.exchange(request, timeout_s)
        finally:
            self._give_back(connection, fresh)

    async def _connect(self, timeout_s: float) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_s):
                # both event loops set TCP_NODELAY; without it a call costs 40 ms more
                _, connection = await loop.create_connection(
                    lambda: _Connection(self), HOST, self._port
                )
        except TimeoutError:
            raise
        except OSError as error:
            raise _gone(error) from error
        return connection

    def _give_back(self, connection: _Connection, fresh: bool) -> None:
        if connection.can_be_kept and not fresh:
            self._idle.append(connection)
        else:
            connection.abort()

    def opened(self, connection: _Connection) -> None:
        """A connection was made."""
        self._open.add(connection)
        if self._closed:
            connection.abort()

    def lost(self, connection: _Connection) -> None:
        """A connection has ended."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)


class _Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self, owner: Connections) -> None:
        self._owner = owner
        self._received = bytearray()
        self._head: tuple[int, dict[str, str]] | None = None
        self._length = 0
        self._awaited: asyncio.Future[Answer] | None = None

    async def exchange(self, request: bytes, timeout_s: float) -> Answer:
        """Send a request; its answer.

        Raises:
            ServerGone, TimeoutError: see :meth:`Connections.exchange`.
        """
        if self._transport.is_closing():
            raise _gone("it has closed the connection")
        loop = asyncio.get_running_loop()
        self._awaited = loop.create_future()
        # asyncio.timeout takes longer than everything else here
        timer = loop.call_later(timeout_s, self._expire, timeout_s)
        try:
            self._transport.write(request)
            return await self._awaited
        finally:
            timer.cancel()

    def _expire(self, timeout_s: float) -> None:
        if self._awaited and not self._awaited.done():
            self._awaited.set_exception(TimeoutError(f"no answer in {timeout_s:g} s"))

    @property
    def can_be_kept(self) -> bool:
        """Whether the answer is there and the next request can be sent."""
        return self._awaited is None and not self._transport.is_closing()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            answer = self._read()
        except ValueError as error:
            self._end(_gone(f"what it answers is not HTTP as it speaks it: {error}"))
            return
        if answer is None or self._awaited is None:
            return
        if answer.headers.get("connection", "").lower() == "close":
            self._transport.close()
        if not self._awaited.done():
            self._awaited.set_result(answer)
        self._awaited = None

    def connection_lost(self, error: Exception | None) -> None:
        self._end(_gone(error or "it has closed the connection"))
        self._owner.lost(self)

    def _end(self, gone: ServerGone) -> None:
        self._transport.abort()
        if self._awaited and not self._awaited.done():
            self._awaited.set_exception(gone)

    def _read(self) -> Answer | None:
        """The answer, once it is whole.

        Raises:
            ValueError: it is none, or says no length.
        """
        if self._awaited is None:
            raise ValueError("more than was asked for")
        if self._head is None:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                if len(self._received) > LARGEST_HEAD:
                    raise ValueError("no end of its headers")
                return None
            self._head, self._length = _parsed(self._received[:end].decode("latin-1"))
            del self._received[: end + 4]
        if len(self._received) < self._length:
            return None
        if len(self._received) > self._length:
            raise ValueError("more than it said")
        answer = Answer(*self._head, bytes(self._received))
        self._head = None
        self._received.clear()
        return answer


def _parsed(head: str) -> tuple[tuple[int, dict[str, str]], int]:
    """Status and headers, and the body's length.

    Raises:
        ValueError: see :meth:`_Connection._read`.
    """
    first, *lines = head.split("\r\n")
    version, status, *_ = first.split(" ", 2)
    if version != "HTTP/1.1":
        raise ValueError(f"{version!r:.40}")
    fields = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in fields}
    if "content-length" not in headers:
        raise ValueError("an answer without a length")
    return (int(status), headers), int(headers["content-length"])


def _gone(why: object) -> ServerGone:
    return ServerGone(f"the Triton server does not answer: {why}")
