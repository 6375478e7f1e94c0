"""Telling people: a message to every destination that is configured, and never a failure."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from slipway.errors import SlipwayError
from slipway.pipeline.notify import message as notify_message
from slipway.pipeline.notify.event import News
from slipway.pipeline.notify.message import Message

# for all attempts at one destination, and for what the store is asked
LIMIT_S = 60.0

type Warn = Callable[[str], object]


def notify(news: News, warn: Warn, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Send ``news`` wherever the environment says; the destinations that took it. ``warn`` is told
    what went wrong, without what is secret."""
    message = notify_message.message(news)
    sent = []
    for name, send in _destinations(news, message, environ).items():
        try:
            bounded(send)
            sent.append(name)
        except SlipwayError as error:
            warn(str(error))
        except Exception as error:
            # its text might hold an address that is secret
            warn(f"not sent to {name}: {type(error).__name__}")
    return sent


def _destinations(
    news: News, message: Message, environ: Mapping[str, str]
) -> dict[str, Callable[[], None]]:
    found: dict[str, Callable[[], None]] = {}
    url, topic = environ.get("SLIPWAY_WEBHOOK_URL"), environ.get("SLIPWAY_SNS_TOPIC")
    if url:
        from slipway.pipeline.notify import webhook

        found["webhook"] = lambda: webhook.send(url.strip(), message.body)
    if topic:
        from slipway.pipeline.notify import sns  # boto3 behind it

        names = [subject.name for subject in news.subjects]
        found["SNS"] = lambda: sns.send(
            topic.strip(),
            message.subject,
            message.plain,
            kind=news.kind,
            stage=news.stage,
            names=names,
        )
    return found


def bounded[T](do: Callable[[], T], limit_s: float = LIMIT_S) -> T:
    """What ``do`` gives. It is left alone if it takes longer: a server that answers a byte a second
    must not hold the pipeline.

    Raises:
        SlipwayError: it takes longer than ``limit_s``.
    """
    made: list[Any] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            made.append(do())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit_s)
    if failed:
        raise failed[0]
    if not made:
        raise SlipwayError(f"not done after {limit_s:g} s", fix="see whether it can be reached")
    result: T = made[0]
    return result
