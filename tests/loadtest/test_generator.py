"""The generator against an endpoint over HTTP: when it sends, what it counts."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from itertools import cycle, islice, pairwise
from typing import Any

import numpy as np
import pytest

from slipway.loadtest import address, generator
from slipway.loadtest.answer import Answer, Request
from slipway.loadtest.generator import Generator
from tests.loadtest import stand_in

FAST, SLOW = (Request(target, b"body", "text/plain") for target in ("fast.tar.gz", "slow.tar.gz"))


@pytest.fixture
def endpoint() -> Iterator[stand_in.Endpoint]:
    """One that answers at once, but a slow target after 0.2 s."""
    made = stand_in.Endpoint(seconds=lambda target: 0.2 if target == SLOW.target else 0.0)
    with stand_in.serving(made) as served:
        yield served


def generate(
    url: str,
    work: Callable[[Generator], Coroutine[Any, Any, list[Answer]]],
    timeout_s: float = 60.0,
) -> tuple[list[Answer], Generator]:
    """What ``work`` gets from a generator that sends to ``url``."""

    async def inside() -> tuple[list[Answer], Generator]:
        async with Generator(address.local(url, "local"), timeout_s) as made:
            return await work(made), made

    return asyncio.run(inside())


def test_it_sends_what_sagemaker_gets(endpoint: stand_in.Endpoint) -> None:
    answers, _ = generate(endpoint.url, lambda g: g.open_loop([FAST], np.zeros(1)))
    assert [answer.error for answer in answers] == [None]
    (seen,) = endpoint.seen
    assert seen["path"] == "/endpoints/local/invocations"
    assert (seen[stand_in.TARGET], seen["Content-Type"]) == ("fast.tar.gz", "text/plain")


def test_an_open_loop_does_not_wait_for_answers(endpoint: stand_in.Endpoint) -> None:
    endpoint.hold = 20
    times = np.arange(20) / 100
    answers, _ = generate(endpoint.url, lambda g: g.open_loop([FAST] * 20, times))
    assert sorted(answer.intended for answer in answers) == list(times)
    # all were sent before the first was answered
    assert max(answer.sent for answer in answers) < min(answer.done for answer in answers)
    assert all(answer.intended <= answer.sent < answer.done for answer in answers)


def test_who_comes_while_the_server_stalls_has_waited() -> None:
    stalled = threading.Event()

    def seconds(_: str) -> float:
        if not stalled.is_set():
            stalled.set()
            time.sleep(0.5)  # the whole server stands still, not this answer alone
        return 0.0

    with stand_in.serving(stand_in.Endpoint(seconds=seconds)) as served:
        times = np.arange(50) / 100
        answers, _ = generate(served.url, lambda g: g.open_loop([FAST] * 50, times))
    waited = [answer for answer in answers if answer.latency > 0.1]
    # a generator that waits for the first answer would have seen one slow request
    assert len(waited) > 20


def test_a_closed_loop_sends_one_after_the_other(endpoint: stand_in.Endpoint) -> None:
    requests = islice(cycle([SLOW, FAST]), 4)
    answers, _ = generate(endpoint.url, lambda g: g.closed_loop(requests, 1, 60))
    assert [answer.target for answer in answers] == ["slow.tar.gz", "fast.tar.gz"] * 2
    assert all(a.done <= b.sent for a, b in pairwise(answers))


def test_cold_starts_are_told_where_the_endpoint_tells_them(endpoint: stand_in.Endpoint) -> None:
    for tells, told in ((True, [True, False]), (False, [None, None])):
        endpoint.tells = tells
        answers, _ = generate(endpoint.url, lambda g: g.closed_loop(iter([FAST, FAST]), 1, 60))
        assert [answer.cold for answer in answers] == told


def test_failures_are_counted_by_kind_with_the_first_message(endpoint: stand_in.Endpoint) -> None:
    endpoint.failures[SLOW.target] = (424, "ModelError:http://x", "shape is wrong")
    requests = iter([FAST, SLOW, SLOW])
    answers, made = generate(endpoint.url, lambda g: g.closed_loop(requests, 1, 60))
    assert Counter(answer.error for answer in answers) == {None: 1, "424 ModelError": 2}
    assert made.messages == {"424 ModelError": "shape is wrong"}


def test_no_answer_in_time_is_a_failure(endpoint: stand_in.Endpoint) -> None:
    answers, _ = generate(endpoint.url, lambda g: g.open_loop([SLOW], np.zeros(1)), timeout_s=0.05)
    assert [answer.error for answer in answers] == ["no answer in 0.05 s"]


def test_nobody_there_is_a_failure() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{holder.getsockname()[1]}"
        answers, made = generate(url, lambda g: g.closed_loop(iter([FAST]), 1, 60))
    assert answers[0].error == "no connection" and "no connection" in made.messages


def test_more_than_so_many_waiting_requests_are_not_sent(
    endpoint: stand_in.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator, "OUTSTANDING", 3)
    answers, _ = generate(endpoint.url, lambda g: g.open_loop([SLOW] * 10, np.zeros(10)))
    assert len(endpoint.seen) == 3
    assert Counter(answer.error for answer in answers) == {None: 3, generator.UNSENT: 7}


@pytest.mark.parametrize("loop", ["open", "closed"])
def test_a_stopped_test_gives_what_there_is(endpoint: stand_in.Endpoint, loop: str) -> None:
    async def work(made: Generator) -> list[Answer]:
        asyncio.get_running_loop().call_later(0.1, made.stop.set)
        if loop == "closed":
            return await made.closed_loop(cycle([FAST, SLOW]), 1, 600)
        return await made.open_loop([FAST, SLOW, FAST], np.array([0.0, 0.0, 600.0]))

    answers, _ = generate(endpoint.url, work)
    assert {answer.target for answer in answers} == {FAST.target}


def test_a_mistake_of_ours_is_not_taken_for_an_answer(endpoint: stand_in.Endpoint) -> None:
    broken = Request("fast.tar.gz", b"", "not a\nheader")
    with pytest.raises(ValueError):
        generate(endpoint.url, lambda g: g.open_loop([broken], np.zeros(1)))
    with pytest.raises(ValueError):
        generate(endpoint.url, lambda g: g.closed_loop(iter([broken]), 1, 60))
