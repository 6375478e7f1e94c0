"""Call a container as SageMaker does, and wait: ``GET /ping``, ``POST /invocations``."""

from __future__ import annotations

import http.client
import select
import socket
from collections.abc import Mapping
from typing import NamedTuple

from slipway.errors import SlipwayError
from slipway.server import log, network
from slipway.server.client import HOST
from slipway.server.container.process import ContainerProcess

STARTUP_S = 480.0  # for the first ping that is answered with 200: eight minutes
PING_S = 2.0  # for each of them
INVOCATION_S = 60.0  # "Your container must respond to requests within 60 seconds"
POLL_S = 0.05


class ContainerAnswer(NamedTuple):
    """A container's response to an invocation."""

    status: int
    content_type: str
    body: bytes


class _Connection(http.client.HTTPConnection):
    """One connection into a container's network."""

    def __init__(self, container: ContainerProcess, timeout_s: float) -> None:
        super().__init__(HOST, container.place.port, timeout=timeout_s)
        self._container = container

    def connect(self) -> None:
        """Connect through the container's entrance, if it has a network of its own."""
        entrance = self._container.entrance
        if entrance is None:
            super().connect()
        else:
            self.sock: socket.socket = network.connect(entrance)
            self.sock.settimeout(self.timeout)


def ping(container: ContainerProcess) -> bool:
    """Return whether the container says that it can serve."""
    try:
        return _exchange(container, "GET", "/ping", b"", {}, PING_S).status == 200
    except (OSError, http.client.HTTPException):
        return False


def await_ready(container: ContainerProcess, timeout_s: float = STARTUP_S) -> None:
    """Wait until the container answers a ping with 200.

    Raises:
        SlipwayError: it ended before, or does not within ``timeout_s``; has its last log lines.
    """
    assert container.process.stdout is not None
    waited = 0.0
    while not ping(container):
        ended, _, _ = select.select([container.process.stdout], [], [], POLL_S)
        waited += POLL_S
        if ended or waited > timeout_s:
            what = "ended before it answered /ping" if ended else f"no /ping after {timeout_s:g} s"
            raise start_error(container, what)


def start_error(container: ContainerProcess, what: str) -> SlipwayError:
    """Return the error of a container that did not start, with its last log lines."""
    name = container.manifest.name
    return log.start_error(f"the container of {name}", what, container.log)


def invoke(
    container: ContainerProcess,
    body: bytes,
    content_type: str,
    *,
    accept: str | None = None,
    timeout_s: float = INVOCATION_S,
) -> ContainerAnswer:
    """Return the container's answer to ``body``, whatever its status.

    Raises:
        SlipwayError: there is none within ``timeout_s``, or the container ended.
    """
    headers = {"Content-Type": content_type} | ({} if accept is None else {"Accept": accept})
    try:
        return _exchange(container, "POST", "/invocations", body, headers, timeout_s)
    except TimeoutError as error:
        raise SlipwayError(
            f"no answer in {timeout_s:g} s",
            where=f"the container of {container.manifest.name}",
            fix="SageMaker gives a container 60 s: send less at once",
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise start_error(container, f"no HTTP answer to an invocation: {error!r}") from error


def _exchange(
    container: ContainerProcess,
    method: str,
    path: str,
    body: bytes,
    headers: Mapping[str, str],
    timeout_s: float,
) -> ContainerAnswer:
    connection = _Connection(container, timeout_s)
    try:
        connection.request(method, path, body=body or None, headers=dict(headers))
        response = connection.getresponse()
        content_type = response.headers.get("Content-Type", "")
        return ContainerAnswer(response.status, content_type, response.read())
    finally:
        connection.close()
