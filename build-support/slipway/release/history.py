"""List what happened to a name, newest first, with what each release brought."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from slipway.catalog import journal, keys
from slipway.catalog.catalog import Catalog
from slipway.catalog.journal import READERS, JournalEvent
from slipway.catalog.reader import unknown_name
from slipway.catalog.record import Record
from slipway.catalog.tombstone import load_tombstone
from slipway.settings import Settings
from slipway.settings.release import STAGES, StageName
from slipway.store.open import open_stage
from slipway.store.stage import StageReader


@dataclass(frozen=True)
class HistoryEntry:
    """An event in ``stage``. ``record`` is that of the release that it brought, even if that was
    pruned since; ``None`` if it brought none."""

    stage: StageName
    event: JournalEvent
    record: Record | None

    def dump(self) -> dict[str, Any]:
        """Return the entry as JSON values."""
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
            "training": None if record is None or not record.training else record.training.id,
        }


def load_history(
    settings: Settings,
    name: str,
    stages: Sequence[StageName] = STAGES,
    limit: int | None = None,
) -> list[HistoryEntry]:
    """Return the events of ``name`` in ``stages``, newest first, at most ``limit`` of them.

    Raises:
        SlipwayError: it was never released there, or an event is damaged.
    """
    readers = [open_stage(settings, stage) for stage in stages]
    listed = [
        (key, stage)
        for stage in readers
        for key in stage.store.keys(keys.history(stage.name, name))
    ]
    if not listed:
        catalogs = [Catalog(stage) for stage in readers]
        if any(catalog.targets(name) for catalog in catalogs):
            return []  # released before there was a journal
        raise unknown_name(name, catalogs)
    # a key's last part begins with the time
    listed.sort(key=lambda pair: pair[0].rpartition("/")[2], reverse=True)

    def load_entry(pair: tuple[str, StageReader]) -> HistoryEntry | None:
        key, stage = pair
        data = stage.store.read(key)
        if data is None:
            return None
        event = journal.parse_event(data, key)
        return HistoryEntry(stage.name, event, _released(stage, name, event))

    with ThreadPoolExecutor(READERS) as pool:
        entries = pool.map(load_entry, listed[:limit])
        return [entry for entry in entries if entry is not None]


def _released(stage: StageReader, name: str, event: JournalEvent) -> Record | None:
    """Return the record of the release that ``event`` brought."""
    if event.action not in ("publish", "promote"):
        return None
    record = Catalog(stage).find_record(name, event.target)
    if record is None and (tombstone := load_tombstone(stage, name, event.target)) is not None:
        return tombstone.record
    return record
