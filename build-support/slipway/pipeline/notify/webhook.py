"""A message to a Slack-compatible webhook, whose address is a secret."""

from __future__ import annotations

import email.utils
import logging
import time
import urllib.request
from email.message import Message as Headers
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

import tenacity
from slack_sdk.webhook import WebhookClient, WebhookResponse

from slipway.errors import SlipwayError

VARIABLE = "SLIPWAY_WEBHOOK_URL"
TIMEOUT_S = 10
ATTEMPTS = 4
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 15.0
# the library's own logger would be given the address, for which nobody has asked
SILENT = logging.getLogger("slipway.webhook")
SILENT.setLevel(logging.CRITICAL + 1)


class _Busy(Exception):
    """It may take the message later; ``after`` is the wait in seconds that it asks for."""

    def __init__(self, said: str, after: float = 0.0) -> None:
        super().__init__(said)
        self.after = after


class _StaysHere(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive as a GET without the message, and count as sent."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Headers, newurl: str
    ) -> None:
        """Never."""


class _Client(WebhookClient):
    """slack_sdk's, but that it follows no redirects."""

    def _perform_http_request_internal(
        self, url: str, req: urllib.request.Request
    ) -> WebhookResponse:
        proxies = {"http": self.proxy, "https": self.proxy} if self.proxy else {}
        opener = urllib.request.build_opener(_StaysHere, urllib.request.ProxyHandler(proxies))
        with opener.open(req, timeout=self.timeout) as answer:
            body = answer.read().decode("utf-8", "replace")
            return WebhookResponse(
                url=url, status_code=answer.status, body=body, headers=dict(answer.headers)
            )


def send(url: str, body: dict[str, Any], *, timeout_s: int = TIMEOUT_S) -> None:
    """Post ``body`` to ``url``. While the receiver is busy (429, 5xx) or not reached it is tried again,
    after the time that it asks for.

    Raises:
        SlipwayError: it did not take it; ``url`` is not told.
    """
    if not url.startswith(("https://", "http://")):
        raise SlipwayError("no address of a webhook", where=VARIABLE, fix="set it to https://…")
    client = _Client(url, timeout=timeout_s, logger=SILENT, retry_handlers=[])
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_later),
        wait=_wait,
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        reraise=True,
    )
    try:
        retrying(_attempt, client, body)
    except (_Busy, OSError, HTTPException, ValueError) as error:
        raise SlipwayError(
            f"the webhook did not take it: {scrubbed(str(error) or repr(error), url)}",
            where=VARIABLE,
            fix="check the variable and that the receiver is up",
        ) from None  # the error's own text may hold the address


def scrubbed(text: str, url: str) -> str:
    """``text`` without the address, or the part of it that is secret."""
    for secret in sorted({url, *filter(lambda part: len(part) > 5, url.split("/"))}, key=len)[::-1]:
        text = text.replace(secret, "…")
    return text


def _attempt(client: _Client, body: dict[str, Any]) -> None:
    try:
        answer = client.send_dict(dict(body))
    except TimeoutError as error:
        # it may have been taken: a second one would tell everything twice
        raise OSError(f"no answer in {client.timeout} s") from error
    except (ConnectionError, URLError) as error:
        raise _Busy(str(getattr(error, "reason", error))) from error
    status = answer.status_code
    said = f"{status} {' '.join(answer.body.split())[:200]}".strip()
    if status == 429 or status >= 500:
        raise _Busy(said, _seconds(answer.headers))
    if not 200 <= status < 300:
        raise OSError(said if status >= 400 else f"{status}, a redirect, which is not followed")


def _seconds(headers: dict[str, Any]) -> float:
    """What ``Retry-After`` asks for: seconds or a date (RFC 9110, 10.2.3)."""
    said = next((str(v) for k, v in headers.items() if k.lower() == "retry-after"), "")
    if said.strip().isdigit():
        return float(said)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return 0.0


def _asked_for(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return error.after if isinstance(error, _Busy) else 0.0


def _wait(state: tenacity.RetryCallState) -> float:
    usual = tenacity.wait_random_exponential(FIRST_WAIT_S, max=LONGEST_WAIT_S)(state)
    return max(usual, _asked_for(state))


def _later(error: BaseException) -> bool:
    """Whether to try again: a pipeline does not wait minutes to tell that it is done."""
    return isinstance(error, _Busy) and error.after <= LONGEST_WAIT_S
