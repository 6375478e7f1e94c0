"""Reserve a port on loopback for a server that is about to start."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from slipway.server.client import HOST


@contextmanager
def reserved_port(ports: Sequence[int] = (0,)) -> Iterator[int]:
    """Yield a free port, one of ``ports``, that the kernel gives to no other process meanwhile; 0
    is any.

    A bound socket that never listens reserves it; SO_REUSEADDR, which the server sets too, lets the
    server bind it nevertheless.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for port in random.sample(ports, len(ports)):
            try:
                holder.bind((HOST, port))
                break
            except OSError:
                continue  # it is in use
        yield holder.getsockname()[1]
