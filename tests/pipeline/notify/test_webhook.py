"""Webhooks as they are in the field: busy, slow, moved, gone."""

from __future__ import annotations

import email.utils
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from slipway.errors import SlipwayError
from slipway.pipeline.notify import webhook
from tests.pipeline.notify import receivers
from tests.pipeline.notify.receivers import Receiver, Reply

BODY = {"text": "released"}


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """One that the test says the answers of; waits between attempts are short."""
    monkeypatch.setattr(webhook, "FIRST_WAIT_S", 0.001)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with receivers.running(Receiver()) as running:
        yield running


def test_a_message_arrives_once(receiver: Receiver) -> None:
    webhook.send(f"{receiver.url}/hook", BODY)
    assert [(r.method, r.path, r.json) for r in receiver.requests] == [("POST", "/hook", BODY)]


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_who_is_busy_is_asked_again(receiver: Receiver, status: int) -> None:
    receiver.replies = [Reply(status), Reply(status)]
    webhook.send(receiver.url, BODY)
    assert [request.json for request in receiver.requests] == [BODY] * 3


def test_who_stays_busy_is_not_asked_for_ever(receiver: Receiver) -> None:
    receiver.replies = [Reply(503, "overloaded")] * 50
    with pytest.raises(SlipwayError, match="503 overloaded"):
        webhook.send(receiver.url, BODY)
    assert len(receiver.requests) == webhook.ATTEMPTS


def test_the_wait_that_a_receiver_asks_for_is_kept(receiver: Receiver) -> None:
    receiver.replies = [Reply(429, headers=(("Retry-After", "1"),))]
    began = time.monotonic()
    webhook.send(receiver.url, BODY)
    assert time.monotonic() - began >= 1
    assert len(receiver.requests) == 2


@pytest.mark.parametrize("after", ["3600", email.utils.formatdate(time.time() + 86400)])
def test_nobody_waits_an_hour_to_tell_that_a_pipeline_is_done(
    receiver: Receiver, after: str
) -> None:
    receiver.replies = [Reply(429, "slow down", (("Retry-After", after),))]
    with pytest.raises(SlipwayError, match="429 slow down"):
        webhook.send(receiver.url, BODY)
    assert len(receiver.requests) == 1


def test_a_wait_that_is_no_time_is_none(receiver: Receiver) -> None:
    receiver.replies = [Reply(429, headers=(("Retry-After", "soon"),))]
    webhook.send(receiver.url, BODY)
    assert len(receiver.requests) == 2


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_who_refuses_is_not_asked_again(receiver: Receiver, status: int) -> None:
    receiver.replies = [Reply(status, "no_service")]
    with pytest.raises(SlipwayError, match=f"{status} no_service"):
        webhook.send(receiver.url, BODY)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_does_not_count_as_sent(
    receiver: Receiver, status: int
) -> None:
    receiver.replies = [Reply(status, headers=(("Location", f"{receiver.url}/elsewhere"),))]
    with pytest.raises(SlipwayError, match=f"{status}, a redirect"):
        webhook.send(f"{receiver.url}/hook", BODY)
    assert [request.path for request in receiver.requests] == ["/hook"]


def test_who_is_slow_may_have_taken_it_and_is_not_asked_again(receiver: Receiver) -> None:
    waits = threading.Event()
    receiver.replies = [Reply(waits=waits)]
    try:
        with pytest.raises(SlipwayError, match="no answer in 1 s"):
            webhook.send(receiver.url, BODY, timeout_s=1)
    finally:
        waits.set()
    assert len(receiver.requests) == 1


def test_who_is_not_there_is_said_without_the_address(receiver: Receiver) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{holder.getsockname()[1]}/services/very-secret"
        with pytest.raises(SlipwayError) as caught:
            webhook.send(url, BODY)
    assert "refused" in str(caught.value)
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["hooks.example/very-secret", "ftp://very-secret", "http://[very-secret"]
)
def test_an_address_that_is_none_is_said_without_it(url: str) -> None:
    with pytest.raises(SlipwayError) as caught:
        webhook.send(url, BODY)
    assert "very-secret" not in str(caught.value)
    assert caught.value.where == "SLIPWAY_WEBHOOK_URL"
