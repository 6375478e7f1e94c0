"""Read the index of a stage: a listing tells which copies in its snapshot are up to date.

The listing has the version of each name's entry. The snapshot is one object with copies of entries,
each with the version that it had. Only entries of another version are read, so that no writer has
to wait for another one of the snapshot, and one that is old, or lost, costs requests alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from slipway.catalog import keys
from slipway.catalog.index.entry import parse_entry
from slipway.catalog.index.line import Line, parse_line
from slipway.catalog.journal import READERS
from slipway.errors import SlipwayError
from slipway.store.stage import StageReader, StageStore

FORMAT = 1
OUTDATED = 8  # so many copies may be out of date before the snapshot is written again


@dataclass(frozen=True)
class Index:
    """What the index of a stage says. ``names`` are those of the catalog, ``lines`` the lines of
    those that have one. ``seen`` has what is stored in place of a line, or what a line was read
    from, by name. ``damaged`` are keys that were ignored. ``outdated`` of the entries were not in
    the snapshot."""

    names: tuple[str, ...]
    lines: Mapping[str, Line]
    seen: Mapping[str, bytes | None]
    damaged: tuple[str, ...]
    outdated: int
    versions: Mapping[str, str]
    snapshot: bytes | None


def read_index(source: StageReader) -> Index:
    """Read the index of a stage.

    Raises:
        SlipwayError: the store cannot be read.
    """
    level = source.store.level(keys.catalog(source.name))
    key = keys.index_snapshot(source.name)
    snapshot = source.store.read(key) if key in level.keys else None
    versions = {
        name: level.keys[stored].version
        for name in level.folders
        if (stored := keys.index_entry(source.name, name)) in level.keys
    }
    lines: dict[str, Line] = {}
    damaged: list[str] = []
    try:
        lines |= dict(_current(snapshot, versions, key))
    except SlipwayError:
        damaged.append(key)
    others = [name for name in versions if name not in lines]
    seen: dict[str, bytes | None] = {}
    with ThreadPoolExecutor(READERS) as pool:
        entry_keys = [keys.index_entry(source.name, name) for name in others]
        for name, data in zip(others, pool.map(source.store.read, entry_keys), strict=True):
            seen[name] = data
            where = keys.index_entry(source.name, name)
            try:
                entry = None if data is None else parse_entry(data, name, where)
            except SlipwayError:
                damaged.append(where)
            else:
                if entry is not None and entry.line is not None and not entry.moving:
                    lines[name] = entry.line
    seen |= {name: None for name in level.folders if name not in versions}
    return Index(tuple(level.folders), lines, seen, tuple(damaged), len(others), versions, snapshot)


def refresh_snapshot(stage: StageStore, index: Index | None = None) -> bool:
    """Write the snapshot again, if it lacks many of the lines; return whether it was written.

    Raises:
        SlipwayError: the store cannot be read, or refuses it.
    """
    index = index or read_index(stage)
    if index.outdated <= OUTDATED:
        return False
    entries = {
        name: [index.versions[name], line.dump()]
        for name, line in index.lines.items()
        if name in index.versions
    }
    data = json.dumps({"format": FORMAT, "entries": entries}, sort_keys=True).encode()
    return stage.store.swap(keys.index_snapshot(stage.name), index.snapshot, data)


def _current(
    snapshot: bytes | None, versions: Mapping[str, str], where: str
) -> Iterator[tuple[str, Line]]:
    """Yield the lines of the snapshot whose entries have not changed.

    Raises:
        SlipwayError: it is damaged.
    """
    if snapshot is None:
        return
    try:
        values: dict[str, Any] = json.loads(snapshot)
        if values["format"] != FORMAT:
            raise ValueError("of another format")
        copies = {name: (str(version), line) for name, (version, line) in values["entries"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SlipwayError(f"the index is damaged: {error!r:.200}", where=where) from None
    for name, (version, line) in copies.items():
        if versions.get(name) == version:
            yield name, parse_line(line, where)
