"""Reserve a port on loopback for a server that is about to start."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from slipway.server.client import HOST


@contextmanager
def reserved_port() -> Iterator[int]:
    """Yield a free port that the kernel gives to no other process meanwhile.

    A bound socket that never listens reserves it; SO_REUSEADDR, which the server sets too, lets the
    server bind it nevertheless.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((HOST, 0))
        yield holder.getsockname()[1]
