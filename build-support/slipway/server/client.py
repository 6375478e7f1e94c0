"""The calls that SageMaker's platform makes to the container of a multi-model endpoint.

Paths and answers: https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html and
Triton's sagemaker_server.cc. Tensors are sent as KServe v2 with binary data.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from slipway.errors import SlipwayError
from slipway.server import network
from slipway.triton import kserve
from slipway.triton.datatypes import Array

HOST = "127.0.0.1"
TARGET = "X-Amzn-SageMaker-Target-Model"
# the server grants an unload 350 s; the platform waits 360 s for it
TIMEOUT_S = 380.0
# what the platform grants a container to answer an invocation (AWS, mms-container-apis.html)
INVOCATION_S = 60.0


class RejectedError(SlipwayError):
    """The server answered with an error; ``status`` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class InferenceError(RejectedError):
    """The model rejected a request, or failed on it; the message is its own."""


class UnansweredError(SlipwayError):
    """A request got no answer in the time that it has. The model may still work on it, so that
    further requests to it may not be answered either."""


class ServerGoneError(SlipwayError):
    """The server no longer answers."""


class ServerDiedError(ServerGoneError):
    """The server's process has ended by itself; ``how`` says by which signal or status."""

    def __init__(self, how: str, what: str, *, fix: str) -> None:
        super().__init__(what, fix=fix)
        self.how = how


class HttpResponse(NamedTuple):
    """An HTTP response, unchanged."""

    status: int
    content_type: str
    body: bytes


class Client:
    """A client of one server on loopback, with one persistent connection for each thread.

    ``entrance`` is the folder that leads into the server's network, if it has one of its own. An
    invocation is answered in ``request_timeout_s``, or fails.
    """

    def __init__(
        self,
        port: int,
        entrance: Path | None = None,
        *,
        request_timeout_s: float = INVOCATION_S,
    ) -> None:
        self.port = port
        self._request_timeout_s = request_timeout_s
        self._entrance = entrance
        self._local = threading.local()

    def ready(self) -> bool:
        """Return whether the server accepts requests."""
        try:
            return self.call("GET", "/ping").status == 200
        except ServerGoneError:
            return False

    def load(self, model: str, url: str, target: str) -> None:
        """Load the model repository at ``url`` under the hash ``model`` and the name ``target``.

        Raises:
            RejectedError: 400; 409 if hash or target are taken; 507 if memory is short.
        """
        body = json.dumps({"model_name": model, "url": url}).encode()
        _check(self.call("POST", "/models", body, {TARGET: target}), RejectedError)

    def unload(self, model: str, target: str) -> None:
        """Unload a model; ``target`` must be that of the load.

        With another one, the server waits for 350 s and unloads nothing.

        Raises:
            RejectedError: 404 if it is not loaded.
        """
        _check(self.call("DELETE", f"/models/{model}", b"", {TARGET: target}), RejectedError)

    def invoke(
        self,
        model: str,
        target: str,
        inputs: Mapping[str, Array],
        *,
        content_type: str = "",
        parameters: Mapping[str, Any] | None = None,
    ) -> dict[str, Array]:
        """Invoke the model with arrays and return arrays; strings and bytes are of dtype
        ``object``. ``parameters`` are the request's own, such as ``sequence_id``.

        Raises:
            InferenceError: the request was rejected, or the model failed on it.
            UnansweredError: as :meth:`invoke_raw`.
            SlipwayError: an array's type has no counterpart in Triton.
        """
        body, encoded_type = kserve.encode(inputs, parameters=parameters)
        response = self.invoke_raw(model, target, body, content_type or encoded_type)
        _check(response, InferenceError)
        return kserve.decode(response.body, response.content_type)

    def invoke_raw(self, model: str, target: str, body: bytes, content_type: str) -> HttpResponse:
        """Invoke the model with an encoded body, and return the response unchanged.

        Raises:
            UnansweredError: no response in the time that a request has.
        """
        headers = {TARGET: target, "Content-Type": content_type}
        path = f"/models/{model}/invoke"
        try:
            return self.call("POST", path, body, headers, timeout_s=self._request_timeout_s)
        except ServerGoneError as error:
            if not isinstance(error.__cause__, TimeoutError):
                raise
            raise UnansweredError(f"no answer in {self._request_timeout_s:g} s") from error

    def call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> HttpResponse:
        """Send one HTTP request and return the response.

        Raises:
            ServerGoneError: the connection was refused, broke, or was silent for ``timeout_s``.
        """
        connection = self._connection()
        try:
            if connection.sock is None:
                self._connect(connection)
            connection.sock.settimeout(timeout_s)
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise ServerGoneError(f"the Triton server does not answer: {error!r}") from error
        return HttpResponse(response.status, response.getheader("Content-Type", ""), content)

    def close(self) -> None:
        """Close this thread's connection."""
        self._connection().close()

    def _connect(self, connection: http.client.HTTPConnection) -> None:
        # a socket file in the folder, unless the machine has no namespaces
        if self._entrance is not None and network.shared_because(self._entrance) is None:
            connection.sock = network.connect(self._entrance)
        else:
            connection.connect()

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            # http.client sets TCP_NODELAY; without it a call costs 40 ms more
            connection = http.client.HTTPConnection(HOST, self.port, timeout=TIMEOUT_S)
            self._local.connection = connection
        return connection


def _check(response: HttpResponse, error: type[RejectedError]) -> None:
    if response.status != 200:
        raise error(response.status, kserve.message_of(response.status, response.body))
