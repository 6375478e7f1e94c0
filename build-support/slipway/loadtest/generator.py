"""Sends requests: on a schedule (open loop), or each after the last was answered (closed loop).

An open loop does not wait for answers, as users do not: https://www.usenix.org/conference/nsdi-06/
open-versus-closed-cautionary-tale. Its latencies begin when a request was due, so that a server
that stalls is seen to make everybody wait ("coordinated omission" otherwise).
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
from slipway.loadtest.answer import Answer, Request
from slipway.triton.datatypes import Array
from slipway.triton.kserve import message_of

# what the platform grants a container to answer (AWS, mms-container-apis.html)
TIMEOUT_S = 60.0
# each is a connection; more waiting requests tell nothing new about a server that is overrun
OUTSTANDING = 512
UNSENT = f"not sent: {OUTSTANDING} requests were waiting already"


class Generator:
    """Sends to one endpoint, inside ``async with``.

    ``stop`` ends what is going on early: the answers until then are given back. ``messages`` has
    the first message of each kind of error.
    """

    def __init__(self, address: Address, timeout_s: float = TIMEOUT_S) -> None:
        self.address = address
        self.stop = asyncio.Event()
        self.messages: dict[str, str] = {}
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
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

    async def open_loop(self, requests: Sequence[Request], times: Array) -> list[Answer]:
        """Send each request at its time (s from now), whatever became of those before it."""
        answers: list[Answer] = []
        waiting: set[asyncio.Task[None]] = set()
        failures: list[BaseException] = []  # also of tasks that end before they are awaited
        loop = asyncio.get_running_loop()
        ended = threading.Event()
        begin = time.perf_counter()

        async def one(request: Request, intended: float) -> None:
            answers.append(await self.send(request, begin, intended))

        def finish(task: asyncio.Task[None]) -> None:
            waiting.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                failures.append(error)

        def due(index: int) -> None:
            intended = float(times[index])
            if len(waiting) >= OUTSTANDING:
                now = time.perf_counter() - begin
                answers.append(Answer(requests[index].target, intended, now, now, UNSENT))
                return
            task = loop.create_task(one(requests[index], intended))
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
    ) -> list[Answer]:
        """``concurrency`` clients for ``seconds``, or until there are no more requests.

        Each sends when its last was answered, so that a slow server is asked less: these latencies
        are those of clients that wait, and no user's.
        """
        answers: list[Answer] = []
        begin = time.perf_counter()

        async def client() -> None:
            while time.perf_counter() - begin < seconds:
                request = next(requests, None)
                if request is None:
                    return
                answers.append(await self.send(request, begin))

        await self._unless_stopped(asyncio.gather(*(client() for _ in range(concurrency))))
        return answers

    async def send(self, request: Request, begin: float, intended: float | None = None) -> Answer:
        """Send one request; ``begin`` is the ``perf_counter`` that its times count from."""
        sent = time.perf_counter() - begin
        error, cold = await self._exchange(request)
        done = time.perf_counter() - begin
        return Answer(
            request.target, sent if intended is None else intended, sent, done, error, cold
        )

    async def once(self, request: Request, begin: float) -> list[Answer]:
        """As :meth:`send`; nothing, if the test is stopped meanwhile."""
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
                said = response.headers.get(CACHE)
                if response.status == 200:
                    return None, None if said is None else said != "hit"
                kind = response.headers.get("x-amzn-ErrorType", response.reason or "")
                # AWS appends a colon and a URL
                error = f"{response.status} {kind.split(':')[0]}".strip()
                self.messages.setdefault(error, _message(response.status, body))
        except TimeoutError:
            error = f"no answer in {self._timeout_s:g} s"
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


def _message(status: int, body: bytes) -> str:
    try:
        said = json.loads(body)
        return str(said.get("OriginalMessage") or said.get("Message") or said["message"])
    except (ValueError, KeyError, AttributeError):
        return message_of(status, body)


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in list(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
