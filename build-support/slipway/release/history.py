"""What happened to a name, newest first, with what each release brought."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from slipway.catalog import journal, keys, tombstone
from slipway.catalog.catalog import Catalog
from slipway.catalog.journal import READERS, Event
from slipway.catalog.keys import Stage
from slipway.catalog.reader import unknown
from slipway.catalog.record import Record
from slipway.settings import Settings
from slipway.settings.release import STAGES
from slipway.store.interface import Reader
from slipway.store.open import open_stage


@dataclass(frozen=True)
class Entry:
    """An event in ``stage``; ``record`` is of the release that it brought, also if that was pruned
    since; ``None`` if it brought none."""

    stage: Stage
    event: Event
    record: Record | None

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        event, record = self.event, self.record
        return {
            "when": event.when,
            "stage": self.stage,
            "action": event.action,
            "target": event.target,
            "before": event.before,
            "commit": event.origin.commit,
            "pipeline": event.origin.pipeline,
            "by": event.origin.by,
            "reason": event.reason,
            "version": None if record is None else record.version,
            "sha256": None if record is None else record.sha256,
            "changes": [] if record is None else list(record.changes),
        }


def history(
    settings: Settings, name: str, stages: Sequence[Stage] = STAGES, limit: int | None = None
) -> list[Entry]:
    """The events of ``name`` in ``stages``, newest first, ``limit`` of them at most.

    Raises:
        SlipwayError: it was never released there, or an event is damaged.
    """
    readers: dict[Stage, Reader] = {stage: open_stage(settings, stage) for stage in stages}
    found = [(key, stage) for stage in stages for key in _keys(readers[stage], stage, name)]
    if not found:
        catalogs = [Catalog(readers[stage], stage) for stage in stages]
        if any(catalog.targets(name) for catalog in catalogs):
            return []  # released before there was a journal
        raise unknown(name, catalogs)
    # a key's last part begins with the time
    found.sort(key=lambda one: one[0].rpartition("/")[2], reverse=True)

    def read(one: tuple[str, Stage]) -> Entry | None:
        key, stage = one
        data = readers[stage].read(key)
        if data is None:
            return None
        event = journal.parse(data, key)
        return Entry(stage, event, _brought(readers[stage], stage, name, event))

    with ThreadPoolExecutor(READERS) as pool:
        entries = pool.map(read, found[:limit])
        return [entry for entry in entries if entry is not None]


def _keys(reader: Reader, stage: Stage, name: str) -> list[str]:
    return reader.keys(keys.history(stage, name))


def _brought(reader: Reader, stage: Stage, name: str, event: Event) -> Record | None:
    if event.action not in ("publish", "promote"):
        return None
    found = Catalog(reader, stage).find(name, event.target)
    if found is None and (gone := tombstone.find(reader, stage, name, event.target)) is not None:
        return gone.record
    return found
