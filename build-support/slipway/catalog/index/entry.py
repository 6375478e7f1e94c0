"""An object of the index: the line of a name, or who is moving its alias at the moment.

Whoever changes what a name serves writes that first, and the new line last. An interrupted call
leaves an object without a line: whoever reads it looks at the alias itself.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from slipway.catalog import keys
from slipway.catalog.index.line import Line, parse_line
from slipway.errors import SlipwayError
from slipway.store.stage import StageStore

FORMAT = 1
MOVES_AT_MOST = timedelta(hours=1)  # after which a call was interrupted


@dataclass(frozen=True)
class Entry:
    """``moving`` has a mark of each call that may be changing what ``name`` serves, and when it
    began; meanwhile there is no ``line``."""

    name: str
    line: Line | None = None
    moving: Mapping[str, str] = field(default_factory=dict)

    def dump(self) -> bytes:
        """Return the entry as JSON, which :func:`parse_entry` reads: other bytes each time, so that
        a compare-and-swap sees every write in between."""
        return keys.dump_json(
            {
                "format": FORMAT,
                "name": self.name,
                "line": None if self.line is None else self.line.dump(),
                "moving": dict(self.moving),
                "write": secrets.token_hex(8),
            }
        )

    def running(self) -> dict[str, str]:
        """Return the marks of calls that may still be running."""
        oldest = datetime.now(UTC) - MOVES_AT_MOST
        return {
            mark: when
            for mark, when in self.moving.items()
            if datetime.fromisoformat(when) > oldest
        }


def parse_entry(data: bytes, name: str, where: str) -> Entry:
    """Return the entry of ``name`` that :meth:`Entry.dump` wrote.

    Raises:
        SlipwayError: it is damaged, of another name, or of another format.
    """
    try:
        values = json.loads(data)
        if values["format"] != FORMAT or values["name"] != name:
            raise ValueError("of another name or format")
        line = values["line"]
        moving = {str(mark): str(when) for mark, when in values["moving"].items()}
        for when in moving.values():
            if datetime.fromisoformat(when).tzinfo is None:
                raise ValueError("a time without its zone")
        return Entry(name, None if line is None else parse_line(line, where), moving)
    except (SlipwayError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SlipwayError(
            f"an entry of the index is damaged: {error!r:.200}",
            where=where,
            fix="slipway verify writes it again",
        ) from None


def heal(stage: StageStore, name: str, seen: bytes | None, line: Line) -> bool:
    """Write ``line``, which was read after ``seen`` was stored as the entry of ``name``; return
    whether it was written. It is not if a call is moving the alias, or has done so meanwhile.

    Raises:
        SlipwayError: the store refuses it.
    """
    key = keys.index_entry(stage.name, name)
    if stored_entry(seen, name, key).running():
        return False
    return stage.store.swap(key, seen, Entry(name, line).dump())


def stored_entry(data: bytes | None, name: str, where: str) -> Entry:
    """Return the entry that ``data`` holds; an empty one if it is absent or damaged."""
    try:
        return Entry(name) if data is None else parse_entry(data, name, where)
    except SlipwayError:
        return Entry(name)  # whatever it was, it is replaced
