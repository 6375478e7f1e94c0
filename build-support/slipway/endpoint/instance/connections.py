"""Persistent connections to one server on loopback, for invocations and for control calls.

A thread of Triton's HTTP server that loads or unloads a model does nothing else meanwhile, and a
connection belongs to one of eight threads for as long as it lasts (sagemaker_server.cc, libevhtp;
on 24.10, 4 of 24 idle connections had to wait). One that is opened during such a call belongs to
another thread. So control calls have connections of their own, and an invocation gets one that no
control call in progress can hold up. If it has waited for one all the same, it is given up.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from slipway.endpoint.instance.connection import Connection, ContainerResponse, gone_server
from slipway.server import network
from slipway.server.client import HOST


class Connections:
    """A pool of as many connections as there are concurrent exchanges, to a ``port`` of this
    machine or of the network that the folder ``entrance`` leads into."""

    def __init__(self, port: int, entrance: Path | None = None) -> None:
        self._port = port
        self._entrance = entrance
        self._closed = False
        self._idle: list[Connection] = []
        self._idle_controls: list[Connection] = []
        self._open: set[Connection] = set()
        # connections of the control calls in progress
        self._controls: set[Connection] = set()

    def close(self) -> None:
        """Close every connection; pending exchanges raise :class:`ServerGoneError`."""
        self._closed = True
        for connection in list(self._open):
            connection.abort()

    async def exchange(
        self, request: bytes, timeout_s: float, *, fresh: bool = False
    ) -> ContainerResponse:
        """Send a request and return its response; ``fresh`` uses a new connection, once.

        Raises:
            ServerGoneError: the connection was refused or broke, or the response was invalid.
            TimeoutError: no response in ``timeout_s``.
        """
        reuse = self._idle and not fresh
        connection = self._idle.pop() if reuse else await self._connect(timeout_s)
        controls = set(self._controls)
        try:
            return await connection.exchange(request, timeout_s)
        finally:
            # It may have been opened before the server had begun with a control call that was sent:
            # an answer that came after the end of one may have waited for it.
            connection.clear_of -= controls - self._controls
            if fresh or not connection.is_reusable or not self._controls <= connection.clear_of:
                connection.abort()
            else:
                self._idle.append(connection)

    async def control(self, request: bytes, timeout_s: float) -> ContainerResponse:
        """Send a request that holds up the thread of its connection, and return its response.

        Idle connections that may belong to the same thread are closed.

        Raises:
            ServerGoneError, TimeoutError: see :meth:`exchange`.
        """
        idle = self._idle_controls
        connection = idle.pop() if idle else await self._connect(timeout_s)
        self._controls.add(connection)
        for other in [each for each in self._idle if connection not in each.clear_of]:
            self._idle.remove(other)
            other.abort()
        try:
            return await connection.exchange(request, timeout_s)
        finally:
            self._controls.discard(connection)
            if connection.is_reusable:
                self._idle_controls.append(connection)
            else:
                connection.abort()

    async def _connect(self, timeout_s: float) -> Connection:
        loop = asyncio.get_running_loop()
        before = set(self._controls)
        try:
            async with asyncio.timeout(timeout_s):
                # both event loops set TCP_NODELAY; without it a call costs 40 ms more
                if self._entrance is None:
                    _, connection = await loop.create_connection(
                        lambda: Connection(self), HOST, self._port
                    )
                else:
                    connected = await asyncio.to_thread(network.connect, self._entrance)
                    _, connection = await loop.create_connection(
                        lambda: Connection(self), sock=connected
                    )
        except TimeoutError:
            raise
        except OSError as error:
            raise gone_server(error) from error
        connection.clear_of = before & self._controls
        return connection

    def opened(self, connection: Connection) -> None:
        """Record a connection that was established."""
        self._open.add(connection)
        if self._closed:
            connection.abort()

    def lost(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        self._open.discard(connection)
        for idle in (self._idle, self._idle_controls):
            if connection in idle:
                idle.remove(connection)
