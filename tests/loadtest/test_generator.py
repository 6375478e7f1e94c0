"""The generator against an endpoint over HTTP: when it sends, and what it records."""

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

from slipway.loadtest import generator
from slipway.loadtest.address import local_address
from slipway.loadtest.exchange import LoadResponse, Request
from slipway.loadtest.generator import Generator
from tests.loadtest import fake_endpoint

FAST, SLOW = (Request(target, b"body", "text/plain") for target in ("fast.tar.gz", "slow.tar.gz"))


@pytest.fixture
def endpoint() -> Iterator[fake_endpoint.FakeEndpoint]:
    """An endpoint that answers at once, but a slow target after 0.2 s."""
    endpoint = fake_endpoint.FakeEndpoint(
        seconds=lambda target: 0.2 if target == SLOW.target else 0.0
    )
    with fake_endpoint.serving(endpoint) as running:
        yield running


def generate(
    url: str,
    work: Callable[[Generator], Coroutine[Any, Any, list[LoadResponse]]],
    timeout_s: float = 60.0,
) -> tuple[list[LoadResponse], Generator]:
    """Run ``work`` with a generator for ``url``; return its responses and the generator."""

    async def inside() -> tuple[list[LoadResponse], Generator]:
        async with Generator(local_address(url, "local"), timeout_s) as sender:
            return await work(sender), sender

    return asyncio.run(inside())


def test_requests_are_those_of_sagemaker(endpoint: fake_endpoint.FakeEndpoint) -> None:
    answers, _ = generate(endpoint.url, lambda g: g.open_loop([FAST], np.zeros(1)))
    assert [answer.error for answer in answers] == [None]
    (seen,) = endpoint.seen
    assert seen["path"] == "/endpoints/local/invocations"
    assert (seen[fake_endpoint.TARGET], seen["Content-Type"]) == ("fast.tar.gz", "text/plain")


def test_an_open_loop_does_not_wait_for_answers(endpoint: fake_endpoint.FakeEndpoint) -> None:
    endpoint.hold = 20
    times = np.arange(20) / 100
    answers, _ = generate(endpoint.url, lambda g: g.open_loop([FAST] * 20, times))
    assert sorted(answer.intended for answer in answers) == list(times)
    # all were sent before the first was answered
    assert max(answer.sent for answer in answers) < min(answer.done for answer in answers)
    assert all(answer.intended <= answer.sent < answer.done for answer in answers)


def test_requests_that_are_due_while_the_server_stalls_have_waited() -> None:
    stalled = threading.Event()

    def seconds(_: str) -> float:
        if not stalled.is_set():
            stalled.set()
            time.sleep(0.5)  # the server stalls, not only this response
        return 0.0

    with fake_endpoint.serving(fake_endpoint.FakeEndpoint(seconds=seconds)) as running:
        times = np.arange(50) / 100
        answers, _ = generate(running.url, lambda g: g.open_loop([FAST] * 50, times))
    waited = [answer for answer in answers if answer.latency > 0.1]
    # a generator that waits for the first answer would have seen one slow request
    assert len(waited) > 20


def test_a_closed_loop_sends_one_after_the_other(endpoint: fake_endpoint.FakeEndpoint) -> None:
    requests = islice(cycle([SLOW, FAST]), 4)
    answers, _ = generate(endpoint.url, lambda g: g.closed_loop(requests, 1, 60))
    assert [answer.target for answer in answers] == ["slow.tar.gz", "fast.tar.gz"] * 2
    assert all(a.done <= b.sent for a, b in pairwise(answers))


def test_cold_starts_are_recorded_where_the_endpoint_reports_them(
    endpoint: fake_endpoint.FakeEndpoint,
) -> None:
    for reported, expected in ((True, [True, False]), (False, [None, None])):
        endpoint.reports_cache = reported
        answers, _ = generate(endpoint.url, lambda g: g.closed_loop(iter([FAST, FAST]), 1, 60))
        assert [answer.cold for answer in answers] == expected


def test_failures_are_counted_by_kind_with_the_first_message(
    endpoint: fake_endpoint.FakeEndpoint,
) -> None:
    endpoint.failures[SLOW.target] = (424, "ModelError:http://x", "shape is wrong")
    requests = iter([FAST, SLOW, SLOW])
    answers, sender = generate(endpoint.url, lambda g: g.closed_loop(requests, 1, 60))
    assert Counter(answer.error for answer in answers) == {None: 1, "424 ModelError": 2}
    assert sender.messages == {"424 ModelError": "shape is wrong"}


def test_no_answer_in_time_is_a_failure(endpoint: fake_endpoint.FakeEndpoint) -> None:
    answers, _ = generate(endpoint.url, lambda g: g.open_loop([SLOW], np.zeros(1)), timeout_s=0.05)
    assert [answer.error for answer in answers] == ["no answer in 0.05 s"]


def test_a_refused_connection_is_a_failure() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{holder.getsockname()[1]}"
        answers, sender = generate(url, lambda g: g.closed_loop(iter([FAST]), 1, 60))
    assert answers[0].error == "no connection" and "no connection" in sender.messages


def test_requests_beyond_the_limit_of_waiting_ones_are_not_sent(
    endpoint: fake_endpoint.FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator, "OUTSTANDING", 3)
    answers, _ = generate(endpoint.url, lambda g: g.open_loop([SLOW] * 10, np.zeros(10)))
    assert len(endpoint.seen) == 3
    assert Counter(answer.error for answer in answers) == {None: 3, generator.UNSENT: 7}


@pytest.mark.parametrize("loop", ["open", "closed"])
def test_a_stopped_loop_returns_the_responses_so_far(
    endpoint: fake_endpoint.FakeEndpoint, loop: str
) -> None:
    async def work(sender: Generator) -> list[LoadResponse]:
        asyncio.get_running_loop().call_later(0.1, sender.stop.set)
        if loop == "closed":
            return await sender.closed_loop(cycle([FAST, SLOW]), 1, 600)
        return await sender.open_loop([FAST, SLOW, FAST], np.array([0.0, 0.0, 600.0]))

    answers, _ = generate(endpoint.url, work)
    assert {answer.target for answer in answers} == {FAST.target}


def test_an_invalid_header_raises_and_is_not_recorded_as_a_response(
    endpoint: fake_endpoint.FakeEndpoint,
) -> None:
    broken = Request("fast.tar.gz", b"", "not a\nheader")
    with pytest.raises(ValueError):
        generate(endpoint.url, lambda g: g.open_loop([broken], np.zeros(1)))
    with pytest.raises(ValueError):
        generate(endpoint.url, lambda g: g.closed_loop(iter([broken]), 1, 60))
