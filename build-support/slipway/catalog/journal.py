"""Record what was done to a name in a stage: one small object for each event, never changed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from slipway.catalog import keys
from slipway.catalog.alias import Alias, parse_alias
from slipway.catalog.origin import Origin
from slipway.errors import SlipwayError
from slipway.store.interface import Reader
from slipway.store.stage import StageReader, StageStore

Action = Literal["publish", "promote", "rollback", "alias", "retire", "prune"]
RETIRE: Action = "retire"
READERS = 16  # parallel requests


@dataclass(frozen=True)
class JournalEvent:
    """``target`` is what the alias serves after the event, ``before`` what it served until then, as
    text. For a pruned release ``target`` is the one that was removed, for a retired name what its
    alias served. ``when`` is ISO 8601 in UTC.

    ``now`` and ``was`` are the same two aliases with their weights; ``now`` is ``None`` if no alias
    moved, or none is left.
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
        """Return whether the alias serves ``target`` after the event, or served it before."""
        return any(alias and target in alias.targets for alias in (self.now, self.was))

    def dump(self) -> bytes:
        """Return the event as JSON, which :func:`parse_event` reads."""
        values = {key: value for key, value in asdict(self).items() if key not in ("now", "was")}
        for key, alias in (("now", self.now), ("was", self.was)):
            values[key] = None if alias is None else json.loads(alias.dump())
        return keys.dump_json(values)


def append_event(stage: StageStore, name: str, event: JournalEvent) -> None:
    """Add ``event`` after all existing ones."""
    prefix = keys.history(stage.name, name)
    stamp = event.when
    existing = stage.store.keys(prefix)
    if existing and (last := existing[-1].removeprefix(prefix)[: len(stamp)]) >= stamp:
        # this clock is behind that of the previous writer: the order of keys is the order of events
        stamp = _iso(datetime.fromisoformat(last) + timedelta(microseconds=1))
    # a random part distinguishes two events at one moment
    key = f"{prefix}{stamp}-{event.action}-{secrets.token_hex(4)}.json"
    stage.store.create(key, event.dump())


def load_events(stage: StageReader, name: str, *, skip_damaged: bool = False) -> list[JournalEvent]:
    """Return every event of ``name``, newest first.

    Raises:
        SlipwayError: one is damaged, and ``skip_damaged`` is false.
    """
    history = stage.store.keys(keys.history(stage.name, name))
    with ThreadPoolExecutor(READERS) as pool:
        return read_events(stage.store, history, skip_damaged=skip_damaged, mapped=pool.map)


def read_events(
    reader: Reader,
    history: Sequence[str],
    *,
    skip_damaged: bool = False,
    mapped: Callable[..., Iterable[bytes | None]] = map,
) -> list[JournalEvent]:
    """Return the events of the keys ``history``, newest first; ``mapped`` calls a function for each
    key, as :func:`map` does.

    Raises:
        SlipwayError: one is damaged, and ``skip_damaged`` is false.
    """
    ordered = sorted(history, reverse=True)
    documents = mapped(reader.read, ordered)
    stored = [(key, data) for key, data in zip(ordered, documents, strict=True) if data is not None]
    return list(_parse_all(stored, skip_damaged))


def last_move(
    reader: Reader, history: Sequence[str], *, skip_damaged: bool = False
) -> JournalEvent | None:
    """Return the newest event that moved the alias; ``history`` are the keys of a name's events.

    Raises:
        SlipwayError: it is damaged, and ``skip_damaged`` is false.
    """
    for key in sorted(history, reverse=True):
        data = reader.read(key) if "-prune-" not in key.rpartition("/")[2] else None
        if data is not None:
            for event in _parse_all([(key, data)], skip_damaged):
                return event
    return None


def lineage(events: Sequence[JournalEvent], current: Alias | None) -> list[Alias]:
    """Return the aliases of a name, oldest first, up to ``current``, without those that were rolled
    back. ``events`` are newest first.

    A rollback goes back along this list: an alias that it left is never returned to by another one.
    """
    aliases: list[Alias] = []
    for event in reversed(events):
        if event.was is not None and event.was not in aliases[-1:]:
            aliases.append(event.was)  # from before the journal, or its event was never written
        if event.now is None:
            continue
        if event.action == "rollback" and event.now in aliases:
            del aliases[len(aliases) - aliases[::-1].index(event.now) :]
        elif event.now not in aliases[-1:]:
            aliases.append(event.now)
    # moved by an interrupted call; or by one of two at once, whose events are in the other order
    return aliases if current is None or current in aliases[-1:] else [*aliases, current]


def now() -> str:
    """Return the current time as ISO 8601 in UTC, so that text sorts as time does."""
    return _iso(datetime.now(UTC))


def parse_event(data: bytes, key: str) -> JournalEvent:
    """Return the event that :meth:`JournalEvent.dump` wrote.

    Raises:
        SlipwayError: ``data`` is not an event; names ``key``.
    """
    try:
        values = json.loads(data)
        values["origin"] = Origin(**values["origin"])
        for side in ("now", "was"):
            alias = values.get(side)
            values[side] = None if alias is None else parse_alias(keys.dump_json(alias), where=key)
        return JournalEvent(**values)
    except (SlipwayError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SlipwayError(
            f"an event is damaged: {error!r:.200}", where=key, fix="remove it from the store"
        ) from error


def _parse_all(stored: Sequence[tuple[str, bytes]], skip_damaged: bool) -> Iterator[JournalEvent]:
    for key, data in stored:
        try:
            yield parse_event(data, key)
        except SlipwayError:
            if not skip_damaged:
                raise


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")
