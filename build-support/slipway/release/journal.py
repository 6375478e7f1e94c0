"""What was done to a name in a stage: one small object an event, never changed."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

from slipway.errors import SlipwayError
from slipway.release import keys
from slipway.release.keys import Stage
from slipway.release.origin import Origin
from slipway.release.store import Reader, Store

Action = Literal["publish", "promote", "rollback", "alias", "prune"]


@dataclass(frozen=True)
class Event:
    """``target`` is what the name stands for afterwards, ``before`` what it stood for; of a pruned
    release ``target`` is the one that went. ``when`` is in ISO 8601, UTC."""

    action: Action
    target: str
    before: str | None
    when: str
    origin: Origin
    reason: str | None = None


def write(
    store: Store,
    stage: Stage,
    name: str,
    action: Action,
    target: str,
    before: str | None,
    origin: Origin,
    reason: str | None = None,
) -> Event:
    """Add an event that happens now."""
    event = Event(action, target, before, now(), origin, reason)
    # two at one moment are told apart by chance
    key = f"{keys.history(stage, name)}{event.when}-{action}-{secrets.token_hex(4)}.json"
    store.create(key, keys.dump(asdict(event)))
    return event


def read(reader: Reader, stage: Stage, name: str) -> list[Event]:
    """Every event of ``name``, newest first."""
    found = reversed(reader.keys(keys.history(stage, name)))
    return [_parse(data, key) for key in found if (data := reader.read(key)) is not None]


def now() -> str:
    """In ISO 8601, UTC, so that text sorts as time does."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _parse(data: bytes, key: str) -> Event:
    try:
        said = json.loads(data)
        return Event(**{**said, "origin": Origin(**said["origin"])})
    except (ValueError, KeyError, TypeError) as error:
        raise SlipwayError(
            f"an event is damaged: {error!r}", where=key, fix="remove it from the store"
        ) from error
