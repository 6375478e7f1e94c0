"""What was done to a name in a stage: one small object an event, never changed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from slipway.catalog import alias as aliases
from slipway.catalog import keys
from slipway.catalog.alias import Alias
from slipway.catalog.keys import Stage
from slipway.catalog.origin import Origin
from slipway.errors import SlipwayError
from slipway.store.interface import Reader, Store

Action = Literal["publish", "promote", "rollback", "alias", "prune"]
READERS = 16  # requests at once


@dataclass(frozen=True)
class Event:
    """``target`` is what the name stands for afterwards, ``before`` what it stood for, as an alias
    says it; of a pruned release ``target`` is the one that went. ``when`` is in ISO 8601, UTC.

    ``now`` and ``was`` are both aliases with their weights; ``now`` is ``None`` if none moved.
    """

    action: Action
    target: str
    before: str | None
    when: str
    origin: Origin
    reason: str | None = None
    now: Alias | None = None
    was: Alias | None = None

    def names(self, target: str) -> bool:
        """Whether ``target`` is served after it or was before."""
        return any(alias and target in alias.targets for alias in (self.now, self.was))

    def dump(self) -> bytes:
        """As JSON, which :func:`parse` reads."""
        said = {key: value for key, value in asdict(self).items() if key not in ("now", "was")}
        for key, alias in (("now", self.now), ("was", self.was)):
            said[key] = None if alias is None else json.loads(alias.dump())
        return keys.dump(said)


def write(store: Store, stage: Stage, name: str, event: Event) -> None:
    """Add ``event``, after all that are there."""
    prefix = keys.history(stage, name)
    stamp = event.when
    there = store.keys(prefix)
    if there and (last := there[-1].removeprefix(prefix)[: len(stamp)]) >= stamp:
        # a clock behind that of who came before: the order of keys is the order of events
        stamp = _iso(datetime.fromisoformat(last) + timedelta(microseconds=1))
    # two at one moment are told apart by chance
    key = f"{prefix}{stamp}-{event.action}-{secrets.token_hex(4)}.json"
    store.create(key, event.dump())


def read(reader: Reader, stage: Stage, name: str) -> list[Event]:
    """Every event of ``name``, newest first.

    Raises:
        SlipwayError: one is damaged.
    """
    return read_keys(reader, reader.keys(keys.history(stage, name)))


def read_keys(reader: Reader, found: Sequence[str]) -> list[Event]:
    """The events of ``found``, the keys of one name's history, newest first.

    Raises:
        SlipwayError: one is damaged.
    """
    ordered = sorted(found, reverse=True)
    with ThreadPoolExecutor(READERS) as pool:
        read = pool.map(reader.read, ordered)
        return [parse(data, key) for key, data in zip(ordered, read) if data is not None]


def last_move(reader: Reader, found: Sequence[str]) -> Event | None:
    """The newest event among ``found``, the keys of one name's history, by which the alias moved.

    Raises:
        SlipwayError: it is damaged.
    """
    for key in sorted(found, reverse=True):
        data = reader.read(key) if "-prune-" not in key.rpartition("/")[2] else None
        if data is not None:
            return parse(data, key)
    return None


def line(events: Sequence[Event], current: Alias | None) -> list[Alias]:
    """What a name stood for, one after the other, up to ``current``, without what was rolled back
    from. ``events`` are newest first.

    A rollback leads back along this line: what it left is not come back to by another one.
    """
    made: list[Alias] = []
    for event in reversed(events):
        if event.was is not None and event.was not in made[-1:]:
            made.append(event.was)  # there before the journal, or moved by one who was cut off
        if event.now is None:
            continue
        if event.action == "rollback" and event.now in made:
            del made[len(made) - made[::-1].index(event.now) :]
        elif event.now not in made[-1:]:
            made.append(event.now)
    # moved by one who was cut off; or by one of two at once, whose events are the other way round
    return made if current is None or current in made[-1:] else [*made, current]


def now() -> str:
    """In ISO 8601, UTC, so that text sorts as time does."""
    return _iso(datetime.now(UTC))


def parse(data: bytes, key: str) -> Event:
    """An event's bytes.

    Raises:
        SlipwayError: they are none; ``key`` is named.
    """
    try:
        said = json.loads(data)
        said["origin"] = Origin(**said["origin"])
        for side in ("now", "was"):
            moved = said.get(side)
            said[side] = None if moved is None else aliases.parse(keys.dump(moved), where=key)
        return Event(**said)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SlipwayError(
            f"an event is damaged: {error!r}", where=key, fix="remove it from the store"
        ) from error


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")
