"""The platform's calls to the container, asynchronously. See :mod:`slipway.server.client`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp

from slipway import kserve
from slipway.server.client import HOST, TARGET, Refused, ServerGone
from slipway.server.triton import Server


class Answer(NamedTuple):
    """An HTTP answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Calls:
    """Calls one server through one pool of kept connections."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._base = f"http://{HOST}:{server.port}"
        self._session = aiohttp.ClientSession(
            # aiohttp sets TCP_NODELAY; without it a call costs 40 ms more
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=600),
            timeout=aiohttp.ClientTimeout(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def load(self, target: str, timeout_s: float) -> None:
        """Load a target whose artifact is in its place.

        Raises:
            Refused: the server's answer; ``status`` 409 where it is loaded already.
            ServerGone, TimeoutError: there was none.
        """
        body = {
            "model_name": self._server.model_hash(target),
            "url": self._server.url(target),
        }
        answer = await self.call("POST", "/models", target, json.dumps(body).encode(), timeout_s)
        _check(answer)

    async def unload(self, target: str, timeout_s: float) -> None:
        """Unload a target.

        Raises:
            Refused: ``status`` 404 where it is not loaded.
            ServerGone, TimeoutError: there was no answer.
        """
        path = f"/models/{self._server.model_hash(target)}"
        _check(await self.call("DELETE", path, target, b"", timeout_s))

    async def invoke(
        self, target: str, body: bytes, headers: Mapping[str, str], timeout_s: float
    ) -> Answer:
        """Ask a target.

        Raises:
            ServerGone, TimeoutError: there was no answer.
        """
        path = f"/models/{self._server.model_hash(target)}/invoke"
        return await self.call("POST", path, target, body, timeout_s, headers)

    async def ping(self, timeout_s: float) -> bool:
        """Whether the server answers, on a connection of its own: a kept one may belong to a
        thread that is loading a model."""
        try:
            answer = await self.call("GET", "/ping", "", b"", timeout_s, {"Connection": "close"})
        except (ServerGone, TimeoutError):
            return False
        return answer.status == 200

    async def call(
        self,
        method: str,
        path: str,
        target: str,
        body: bytes,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One HTTP exchange, with the target's header, which has to be the same on every call.

        Raises:
            ServerGone: the connection was refused or broke.
            TimeoutError: no answer in ``timeout_s``.
        """
        try:
            async with self._session.request(
                method,
                self._base + path,
                data=body,
                headers={TARGET: target, **(headers or {})},
                timeout=aiohttp.ClientTimeout(total=timeout_s),
            ) as response:
                return Answer(response.status, response.headers, await response.read())
        except TimeoutError:
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise ServerGone(f"the Triton server does not answer: {error!r}") from error


def _check(answer: Answer) -> None:
    if answer.status != 200:
        raise Refused(answer.status, kserve.message_of(answer.status, answer.body))
