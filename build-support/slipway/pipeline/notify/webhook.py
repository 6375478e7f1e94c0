"""A message to a Slack-compatible webhook, whose URL is a secret."""

from __future__ import annotations

import email.utils
import logging
import time
from typing import Any

import requests
import tenacity

from slipway.errors import SlipwayError

VARIABLE = "SLIPWAY_WEBHOOK_URL"
TIMEOUT_S = 10
ATTEMPTS = 4
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 15.0
# urllib3 logs each request's path at the level DEBUG, and the path is the secret
logging.getLogger("urllib3.connectionpool").addFilter(lambda record: record.levelno > logging.DEBUG)


class _Retryable(Exception):
    """The receiver may accept the message later; ``after`` is the wait in seconds it asks for."""

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class _Rejected(Exception):
    """The message was not accepted, or may have been; sending it again does not help."""


def send(url: str, body: dict[str, Any], *, timeout_s: float = TIMEOUT_S) -> None:
    """Post ``body`` to ``url``; retry while the receiver is busy (429, 5xx) or cannot be reached.

    Raises:
        SlipwayError: the message was not accepted. The error does not contain ``url``.
    """
    if not url.startswith(("https://", "http://")):
        raise SlipwayError("not the URL of a webhook", where=VARIABLE, fix="set it to https://…")
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_worth_a_retry),
        wait=_wait,
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        reraise=True,
    )
    try:
        retrying(_post, url, body, timeout_s)
    except (_Retryable, _Rejected) as error:
        raise SlipwayError(
            f"the webhook did not accept the message: {redact(str(error), url)}",
            where=VARIABLE,
            fix="check the variable and that the receiver is up",
        ) from None  # a library's own error may contain the URL


def redact(text: str, url: str) -> str:
    """Return ``text`` without ``url`` and without each part of its path, which is the secret."""
    for secret in sorted({url, *filter(lambda part: len(part) > 5, url.split("/"))}, key=len)[::-1]:
        text = text.replace(secret, "…")
    return text


def _post(url: str, body: dict[str, Any], timeout_s: float) -> None:
    try:
        # a redirected POST would arrive as a GET without the message, and count as sent
        with requests.post(
            url, json=body, timeout=timeout_s, allow_redirects=False, stream=True
        ) as response:
            _raise_for_status(response)
    except requests.ReadTimeout:
        # the message may have been accepted: a retry could send it twice
        raise _Rejected(f"no answer in {timeout_s:g} s") from None
    except requests.ConnectionError as error:
        raise _Retryable(_reason(error)) from None
    except (requests.RequestException, ValueError) as error:
        raise _Rejected(_reason(error)) from None


def _raise_for_status(response: requests.Response) -> None:
    status = response.status_code
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise _Rejected(f"{status}, a redirect, which is not followed")
    message = f"{status} {' '.join(_text(response).split())[:200]}".strip()
    if status == 429 or status >= 500:
        raise _Retryable(message, _retry_after(response.headers.get("Retry-After", "")))
    raise _Rejected(message)


def _text(response: requests.Response) -> str:
    try:
        return response.content.decode("utf-8", "replace")
    except requests.RequestException:
        return ""  # the status alone says enough


def _reason(error: BaseException) -> str:
    """Return the operating system's reason: the text of requests' own errors contains the URL."""
    cause: BaseException | None = error
    reason = type(error).__name__
    while cause is not None:
        reason = getattr(cause, "strerror", None) or reason
        cause = cause.__cause__ or cause.__context__
    return reason


def _retry_after(value: str) -> float:
    """Return the seconds of a ``Retry-After`` header: a number or a date (RFC 9110, 10.2.3)."""
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return 0.0


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    backoff = tenacity.wait_random_exponential(FIRST_WAIT_S, max=LONGEST_WAIT_S)(state)
    return max(backoff, error.after if isinstance(error, _Retryable) else 0.0)


def _is_worth_a_retry(error: BaseException) -> bool:
    """Return whether to retry: a pipeline does not wait minutes to send a notification."""
    return isinstance(error, _Retryable) and error.after <= LONGEST_WAIT_S
