"""Send requests: on a schedule (open loop), or each after the previous response (closed loop).

An open loop does not wait for answers, as users do not: https://www.usenix.org/conference/nsdi-06/
open-versus-closed-cautionary-tale. Its latencies begin when a request was due, so that a stall of
the server delays every request due meanwhile. Otherwise the stall would be hidden ("coordinated
omission").
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import aiohttp

from slipway.endpoint.protocol import CACHE
from slipway.loadtest.address import Address
from slipway.loadtest.entrance import EntranceConnector
from slipway.loadtest.exchange import LoadResponse, Request
from slipway.triton.datatypes import Array
from slipway.triton.kserve import message_of

# the time that the platform allows a container to answer (AWS, mms-container-apis.html)
TIMEOUT_S = 60.0
# each is a connection; more waiting requests add no information about an overloaded server
OUTSTANDING = 512
NO_ANSWER = "no answer"
UNSENT = f"not sent: {OUTSTANDING} requests were waiting already"


class Generator:
    """Send requests to one endpoint, inside ``async with``.

    Setting ``stop`` ends the current loop early: it returns the responses received so far.
    ``messages`` has the first message of each kind of error.
    """

    def __init__(self, address: Address, timeout_s: float = TIMEOUT_S) -> None:
        self.address = address
        self.stop = asyncio.Event()
        self.messages: dict[str, str] = {}
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=_connector(self.address),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def open_loop(self, requests: Sequence[Request], times: Array) -> list[LoadResponse]:
        """Send each request at its time (s from now), whether or not earlier ones were answered."""
        answers: list[LoadResponse] = []
        waiting: set[asyncio.Task[None]] = set()
        failures: list[BaseException] = []  # also of tasks that end before they are awaited
        loop = asyncio.get_running_loop()
        ended = threading.Event()
        begin = time.perf_counter()

        async def send_one(request: Request, intended: float) -> None:
            answers.append(await self.send(request, begin, intended))

        def finish(task: asyncio.Task[None]) -> None:
            waiting.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                failures.append(error)

        def due(index: int) -> None:
            intended = float(times[index])
            if len(waiting) >= OUTSTANDING:
                now = time.perf_counter() - begin
                answers.append(LoadResponse(requests[index].target, intended, now, now, UNSENT))
                return
            task = loop.create_task(send_one(requests[index], intended))
            waiting.add(task)
            task.add_done_callback(finish)

        def pace() -> None:
            # a thread sleeps to 0.1 ms; the loop's own timers have 1 ms
            for index, at in enumerate(times):
                early = begin + float(at) - time.perf_counter()
                if ended.is_set() or (early > 0 and ended.wait(early)):
                    return
                loop.call_soon_threadsafe(due, index)

        pacing = asyncio.create_task(asyncio.to_thread(pace))
        try:
            await self._unless_stopped(asyncio.shield(pacing))
            await self._unless_stopped(asyncio.gather(*waiting))
            if failures:
                raise failures[0]
        finally:
            ended.set()
            await pacing
            await _cancel(waiting)
        return answers

    async def closed_loop(
        self, requests: Iterator[Request], concurrency: int, seconds: float
    ) -> list[LoadResponse]:
        """Send from ``concurrency`` clients for ``seconds``, or until there are no more requests.

        Each client waits for its previous response, so that a slow server gets fewer requests:
        these latencies are those of waiting clients, not of users.
        """
        answers: list[LoadResponse] = []
        begin = time.perf_counter()

        async def client() -> None:
            while time.perf_counter() - begin < seconds:
                request = next(requests, None)
                if request is None:
                    return
                answers.append(await self.send(request, begin))

        await self._unless_stopped(asyncio.gather(*(client() for _ in range(concurrency))))
        return answers

    async def send(
        self, request: Request, begin: float, intended: float | None = None
    ) -> LoadResponse:
        """Send one request; its times count from ``begin``, a value of ``perf_counter``."""
        sent = time.perf_counter() - begin
        error, cold = await self._exchange(request)
        done = time.perf_counter() - begin
        return LoadResponse(
            request.target, sent if intended is None else intended, sent, done, error, cold
        )

    async def send_unless_stopped(self, request: Request, begin: float) -> list[LoadResponse]:
        """Return the response of :meth:`send`, or an empty list if the test is stopped."""
        sending = asyncio.create_task(self.send(request, begin))
        await self._unless_stopped(sending)
        return [sending.result()] if sending.done() and not sending.cancelled() else []

    async def _exchange(self, request: Request) -> tuple[str | None, bool | None]:
        """Return the kind of failure, or ``None``; and whether it waited for a load, if known."""
        try:
            async with self._session.post(
                self.address.url, data=request.body, headers=self.address.headers(request)
            ) as response:
                body = await response.read()
                cache = response.headers.get(CACHE)
                if response.status == 200:
                    return None, None if cache is None else cache != "hit"
                kind = response.headers.get("x-amzn-ErrorType", response.reason or "")
                # AWS appends a colon and a URL
                error = f"{response.status} {kind.split(':')[0]}".strip()
                self.messages.setdefault(error, message_of_failure(response.status, body))
        except TimeoutError:
            error = f"{NO_ANSWER} in {self._timeout_s:g} s"
        except aiohttp.ClientConnectorError as failure:
            error = "no connection"
            self.messages.setdefault(error, str(failure))
        except aiohttp.ClientError as failure:
            error = "the connection broke"
            self.messages.setdefault(error, repr(failure))
        return error, None

    async def _unless_stopped(self, work: asyncio.Future[Any]) -> None:
        stopping = asyncio.create_task(self.stop.wait())
        try:
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            stopping.cancel()
            work.cancel()


def _connector(address: Address) -> aiohttp.BaseConnector:
    if address.entrance is not None:
        return EntranceConnector(address.entrance)
    return aiohttp.TCPConnector(limit=0)


def message_of_failure(status: int, body: bytes) -> str:
    """Return the message in an error of an endpoint, or of a server."""
    try:
        fields = json.loads(body)
        return str(fields.get("OriginalMessage") or fields.get("Message") or fields["message"])
    except (ValueError, KeyError, AttributeError):
        return message_of(status, body)


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in list(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
