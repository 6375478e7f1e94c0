"""Notifications: a message to every configured destination, and never a failure."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping

from slipway.errors import SlipwayError
from slipway.pipeline.notify.event import ReleaseEvent
from slipway.pipeline.notify.message import Message, render_message

# for all attempts at one destination, and for reading the store
LIMIT_S = 60.0

type Warn = Callable[[str], object]


def notify(event: ReleaseEvent, warn: Warn, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Send ``event`` to the destinations in ``environ``; return those that accepted it.

    ``warn`` receives what went wrong, without secrets.
    """
    message = render_message(event)
    notified = []
    for name, send in _destinations(event, message, environ).items():
        try:
            run_with_limit(send)
            notified.append(name)
        except SlipwayError as error:
            warn(str(error))
        except Exception as error:
            # its text could contain a secret URL
            warn(f"not sent to {name}: {type(error).__name__}")
    return notified


def _destinations(
    event: ReleaseEvent, message: Message, environ: Mapping[str, str]
) -> dict[str, Callable[[], None]]:
    destinations: dict[str, Callable[[], None]] = {}
    url, topic = environ.get("SLIPWAY_WEBHOOK_URL"), environ.get("SLIPWAY_SNS_TOPIC")
    if url:
        from slipway.pipeline.notify import webhook

        destinations["webhook"] = lambda: webhook.send(url.strip(), message.body)
    if topic:
        from slipway.pipeline.notify import sns  # slow to import: boto3

        names = [model.name for model in event.models]
        attributes = sns.Attributes(event.kind, event.stage, names)
        destinations["SNS"] = lambda: sns.send(
            topic.strip(), message.subject, message.plain, attributes
        )
    return destinations


def run_with_limit[T](do: Callable[[], T], limit_s: float = LIMIT_S) -> T:
    """Return the result of ``do``. A call that takes longer is abandoned: a server that answers one
    byte a second must not block the pipeline.

    Raises:
        SlipwayError: ``do`` takes longer than ``limit_s``.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(do())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit_s)
    if errors:
        raise errors[0]
    if not results:
        raise SlipwayError(f"not finished after {limit_s:g} s", fix="check that it can be reached")
    return results[0]
