"""The connections to the container, against servers that answer well and badly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop

from slipway.endpoint.instance.connections import Connections
from slipway.server.client import HOST, ServerGoneError

type Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

REQUEST = b"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"


@asynccontextmanager
async def served(behave: Behaviour) -> AsyncIterator[tuple[Connections, list[int]]]:
    """Connections to a server that behaves so; the list has an item for each it has taken."""
    taken: list[int] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(1)
        try:
            await behave(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(take, HOST, 0)
    connections = Connections(server.sockets[0].getsockname()[1])
    try:
        yield connections, taken
    finally:
        connections.close()
        server.close()
        await server.wait_closed()


def answering(*pieces: bytes) -> Behaviour:
    """Answers every request with these pieces, each in a packet of its own."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.005)

    return behave


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads and says nothing."""
    await reader.read()


async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers one request and closes the connection."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HELLO)


def test_an_answer_in_many_pieces_is_put_together_again() -> None:
    async def ask() -> None:
        pieces = [HELLO[i : i + 7] for i in range(0, len(HELLO), 7)]
        async with served(answering(*pieces)) as (connections, _):
            answer = await connections.exchange(REQUEST, 5)
            assert (answer.status, answer.body) == (200, b"hello")
            assert answer.headers["content-type"] == "text/plain"

    uvloop.run(ask())


def test_a_connection_is_kept_for_the_next_request() -> None:
    async def ask() -> None:
        async with served(answering(HELLO)) as (connections, taken):
            for _ in range(3):
                await connections.exchange(REQUEST, 5)
            assert len(taken) == 1
            await connections.exchange(REQUEST, 5, fresh=True)
            assert len(taken) == 2

    uvloop.run(ask())


def test_control_calls_have_a_connection_that_they_keep() -> None:
    async def ask() -> None:
        async with served(answering(HELLO)) as (connections, taken):
            for _ in range(3):
                await connections.control(REQUEST, 5)
                await connections.exchange(REQUEST, 5)
            # the third one was opened during no control call: it is closed when the next begins
            assert len(taken) == 4

    uvloop.run(ask())


def test_what_was_opened_during_a_control_call_is_kept_beyond_the_next_ones() -> None:
    async def ask() -> None:
        begun, may_end = asyncio.Event(), asyncio.Event()

        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                if (await reader.readuntil(b"\r\n\r\n")).startswith(b"DELETE"):
                    begun.set()
                    await may_end.wait()
                writer.write(HELLO)

        async with served(behave) as (connections, taken):
            for _ in range(3):
                begun.clear()
                may_end.clear()
                control = asyncio.create_task(connections.control(b"DELETE" + REQUEST[3:], 5))
                await begun.wait()
                await connections.exchange(REQUEST, 5)
                may_end.set()
                await control
                await connections.exchange(REQUEST, 5)
            assert len(taken) == 2

    uvloop.run(ask())


def test_a_connection_that_was_answered_after_a_control_call_is_not_used_in_the_next_one() -> None:
    async def ask() -> None:
        ends = {b"DELETE": asyncio.Event(), b"GET": asyncio.Event()}

        # as one thread has both: the control call was sent, and the server had not begun with it
        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                method = (await reader.readuntil(b"\r\n\r\n")).split()[0]
                await ends[method].wait()
                writer.write(HELLO)

        async with served(behave) as (connections, taken):
            delete = b"DELETE" + REQUEST[3:]
            ends[b"DELETE"].set()
            await connections.control(delete, 5)
            ends[b"DELETE"].clear()
            control = asyncio.create_task(connections.control(delete, 5))
            await asyncio.sleep(0)
            waiting = asyncio.create_task(connections.exchange(REQUEST, 5))
            await asyncio.sleep(0.05)
            ends[b"DELETE"].set()
            await control
            ends[b"GET"].set()
            await waiting
            assert len(taken) == 2
            await connections.control(delete, 5)
            await connections.exchange(REQUEST, 5)
            assert len(taken) == 3

    uvloop.run(ask())


def test_requests_at_the_same_time_have_a_connection_each() -> None:
    async def ask() -> None:
        async with served(answering(HELLO)) as (connections, taken):
            answers = [connections.exchange(REQUEST, 5) for _ in range(8)]
            assert {answer.body for answer in await asyncio.gather(*answers)} == {b"hello"}
            assert len(taken) == 8

    uvloop.run(ask())


def test_a_connection_that_the_server_has_closed_is_not_used_again() -> None:
    async def ask() -> None:
        async with served(rude) as (connections, taken):
            for _ in range(2):
                assert (await connections.exchange(REQUEST, 5)).body == b"hello"
                await asyncio.sleep(0.05)
            assert len(taken) == 2

    uvloop.run(ask())


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 fine\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"x" * 70_000,
        HELLO + HELLO,
    ],
)
def test_what_is_no_answer_counts_as_a_server_that_is_gone(said: bytes) -> None:
    async def ask() -> None:
        async with served(answering(said)) as (connections, _):
            with pytest.raises(ServerGoneError):
                await connections.exchange(REQUEST, 5)

    uvloop.run(ask())


def test_a_connection_with_a_late_answer_is_never_used_for_another_request() -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.2)
        writer.write(HELLO)
        await reader.read()

    async def ask() -> None:
        async with served(late) as (connections, taken):
            with pytest.raises(TimeoutError):
                await connections.exchange(REQUEST, 0.05)
            assert (await connections.exchange(REQUEST, 5)).body == b"hello"
            assert len(taken) == 2

    uvloop.run(ask())


def test_who_waits_for_an_answer_hears_that_the_connections_are_closed() -> None:
    async def ask() -> None:
        async with served(silent) as (connections, _):
            asking = asyncio.create_task(connections.exchange(REQUEST, 5))
            await asyncio.sleep(0.05)
            connections.close()
            with pytest.raises(ServerGoneError):
                await asking

    uvloop.run(ask())


def test_nobody_listening_counts_as_a_server_that_is_gone() -> None:
    async def ask() -> None:
        async with served(silent) as (connections, _):
            pass
        with pytest.raises(ServerGoneError, match="does not answer"):
            await connections.exchange(REQUEST, 5)

    uvloop.run(ask())
