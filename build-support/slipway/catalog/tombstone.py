"""Keep the record of a release whose artifact was removed, so that its version stays taken.

A tombstone is written before the artifact is removed, and finished afterwards. In between, the
release is neither served nor published: a call that removes it and a call that publishes it again
never work on it at the same time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from slipway.catalog import keys
from slipway.catalog.record import Record, parse_record
from slipway.store.stage import StageReader, StageStore

FINISHED = "pruned"


@dataclass(frozen=True)
class Tombstone:
    """``finished`` is when the artifact was removed, in ISO 8601; ``None`` until then."""

    record: Record
    finished: str | None


def load_tombstone(stage: StageReader, name: str, target: str) -> Tombstone | None:
    """Return the tombstone of ``target``, or ``None`` if it was never pruned.

    Raises:
        SlipwayError: it is damaged.
    """
    key = keys.tombstone(stage.name, name, target)
    data = stage.store.read(key)
    if data is None:
        return None
    return Tombstone(parse_record(data, key), json.loads(data).get(FINISHED))


def mark(stage: StageStore, record: Record) -> bool:
    """Write the tombstone of ``record``, unfinished; return false if one exists."""
    return stage.store.create(_key(stage, record), _dump(record, None))


def unmark(stage: StageStore, record: Record) -> None:
    """Remove the tombstone of ``record``."""
    stage.store.delete(_key(stage, record))


def finish(stage: StageStore, record: Record, when: str) -> bool:
    """Finish the tombstone of ``record``; return false if another call finished it."""
    return stage.store.swap(_key(stage, record), _dump(record, None), _dump(record, when))


def _key(stage: StageReader, record: Record) -> str:
    return keys.tombstone(stage.name, record.name, record.target)


def _dump(record: Record, finished: str | None) -> bytes:
    return keys.dump_json({**json.loads(record.dump()), FINISHED: finished})
