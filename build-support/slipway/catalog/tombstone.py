"""What stays of a release whose artifact was removed: its record, so that its version stays taken.

The record is marked first and finished last. In between, a release is neither served nor
published: whoever removes it and whoever wants it back never work on it at the same time.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from slipway.catalog import keys
from slipway.catalog import record as records
from slipway.catalog.keys import Stage
from slipway.catalog.record import Record
from slipway.store.interface import Reader, Store

FINISHED = "pruned"


class Pruned(NamedTuple):
    """``finished`` is when the artifact was gone, in ISO 8601; ``None`` until then."""

    record: Record
    finished: str | None
    data: bytes


def find(reader: Reader, stage: Stage, name: str, target: str) -> Pruned | None:
    """What is kept of ``target``, or ``None`` if it was never pruned.

    Raises:
        SlipwayError: it is damaged.
    """
    key = keys.pruned(stage, name, target)
    data = reader.read(key)
    if data is None:
        return None
    return Pruned(records.parse(data, key), json.loads(data).get(FINISHED), data)


def mark(store: Store, stage: Stage, record: Record) -> bool:
    """Say that ``record``'s artifact is being removed; false if that was said before."""
    return store.create(_key(stage, record), _dump(record, None))


def unmark(store: Store, stage: Stage, record: Record) -> None:
    """Take it back."""
    store.delete(_key(stage, record))


def finish(store: Store, stage: Stage, record: Record, when: str) -> bool:
    """Say that the artifact is gone; false if another one said it."""
    return store.swap(_key(stage, record), _dump(record, None), _dump(record, when))


def _key(stage: Stage, record: Record) -> str:
    return keys.pruned(stage, record.name, record.target)


def _dump(record: Record, finished: str | None) -> bytes:
    return keys.dump({**json.loads(record.dump()), FINISHED: finished})
