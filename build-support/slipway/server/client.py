"""The calls that SageMaker's platform makes to the container of a multi-model endpoint.

Paths and answers: https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html and
Triton's sagemaker_server.cc. Tensors go as KServe v2 with binary data.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Mapping
from typing import NamedTuple

from slipway.errors import SlipwayError
from slipway.triton import kserve
from slipway.triton.datatypes import Array

HOST = "127.0.0.1"
TARGET = "X-Amzn-SageMaker-Target-Model"
# the server gives an unload 350 s; the platform waits 360 s for it
TIMEOUT_S = 380.0
# what the platform grants a container to answer an invocation (AWS, mms-container-apis.html)
INVOCATION_S = 60.0


class Refused(SlipwayError):
    """The server answered with an error; ``status`` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class InferenceError(Refused):
    """The model refused a request, or failed on it; the message is its own."""


class ServerGone(SlipwayError):
    """The server does not answer any more."""


class Answer(NamedTuple):
    """An HTTP answer as it came."""

    status: int
    content_type: str
    body: bytes


class Client:
    """Calls one server on loopback; one kept connection for each thread."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._local = threading.local()

    def ready(self) -> bool:
        """Whether the server takes requests."""
        try:
            return self.call("GET", "/ping").status == 200
        except ServerGone:
            return False

    def load(self, model: str, url: str, target: str) -> None:
        """Load the model repository at ``url`` under the hash ``model`` and the name ``target``.

        Raises:
            Refused: 400, 409 where hash or target are taken already, 507 without memory.
        """
        body = json.dumps({"model_name": model, "url": url}).encode()
        _check(self.call("POST", "/models", body, {TARGET: target}), Refused)

    def unload(self, model: str, target: str) -> None:
        """Unload what was loaded; ``target`` must be that of the load.

        With another one, the server waits for 350 s and unloads nothing.

        Raises:
            Refused: 404 where it is not loaded.
        """
        _check(self.call("DELETE", f"/models/{model}", b"", {TARGET: target}), Refused)

    def invoke(
        self, model: str, target: str, inputs: Mapping[str, Array], *, content_type: str = ""
    ) -> dict[str, Array]:
        """Ask the model; arrays in, arrays out. Strings and bytes are arrays of ``object``.

        Raises:
            InferenceError: the request was refused, or the model failed on it.
            SlipwayError: an array's type has no counterpart in Triton.
        """
        body, encoded = kserve.encode(inputs)
        answer = self.invoke_raw(model, target, body, content_type or encoded)
        _check(answer, InferenceError)
        return kserve.decode(answer.body, answer.content_type)

    def invoke_raw(self, model: str, target: str, body: bytes, content_type: str) -> Answer:
        """Ask the model with a body as it stands, and give the answer as it came.

        Raises:
            InferenceError: no answer in the time that the platform grants.
        """
        headers = {TARGET: target, "Content-Type": content_type}
        path = f"/models/{model}/invoke"
        try:
            return self.call("POST", path, body, headers, timeout_s=INVOCATION_S)
        except ServerGone as error:
            if not isinstance(error.__cause__, TimeoutError):
                raise
            message = f"no answer in {INVOCATION_S:g} s, which is all that the platform grants"
            raise InferenceError(408, message) from error

    def call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> Answer:
        """One HTTP exchange.

        Raises:
            ServerGone: the connection was refused, broke, or was silent for ``timeout_s``.
        """
        connection = self._connection()
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(timeout_s)
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise ServerGone(f"the Triton server does not answer: {error!r}") from error
        return Answer(response.status, response.getheader("Content-Type", ""), content)

    def close(self) -> None:
        """Close this thread's connection."""
        self._connection().close()

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            # http.client sets TCP_NODELAY; without it a call costs 40 ms more
            connection = http.client.HTTPConnection(HOST, self.port, timeout=TIMEOUT_S)
            self._local.connection = connection
        return connection


def _check(answer: Answer, error: type[Refused]) -> None:
    if answer.status != 200:
        raise error(answer.status, kserve.message_of(answer.status, answer.body))
