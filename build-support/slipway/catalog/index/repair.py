"""Correct the index where it differs from the catalog."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from slipway.catalog import keys
from slipway.catalog.index.entry import heal, stored_entry
from slipway.catalog.index.line import Line, read_line
from slipway.catalog.index.snapshot import Index, read_index, refresh_snapshot
from slipway.catalog.journal import READERS
from slipway.catalog.listing import Listing
from slipway.errors import SlipwayError
from slipway.store.interface import AccessDenied
from slipway.store.stage import StageReader, StageStore


@dataclass(frozen=True)
class Repair:
    """``lines`` are right, by name; of them ``differed`` were not, and ``healed`` are now in the
    index, unless this role may not write there. ``damaged`` keys of the index were ignored."""

    lines: Mapping[str, Line]
    differed: int
    healed: int
    damaged: tuple[str, ...]


def repair_index(
    stage: StageStore,
    listing: Listing,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Repair:
    """Compare every line of the index with ``listing``, which has all keys of the stage; read what
    differs, or is lacking, and write it.

    Raises:
        SlipwayError: the store cannot be read.
    """
    index = read_index(stage)
    right = {
        name: line
        for name, line in index.lines.items()
        if name in listing.names and line.agrees(name, listing)
    }
    others = [name for name in listing.names if name not in right]

    def read(name: str) -> Line | None:
        return read_line(stage, name)

    with ThreadPoolExecutor(READERS) as pool:
        for done, (name, line) in enumerate(zip(others, pool.map(read, others), strict=True), 1):
            progress(done, len(others))
            if line is not None:
                right[name] = line
    healed = correct_lines(stage, index, {name: right.get(name) for name in others})
    with contextlib.suppress(SlipwayError):  # it saves requests only
        refresh_snapshot(stage, None if healed else index)
    return Repair(right, len(others), healed, index.damaged)


def correct_lines(stage: StageStore, index: Index, lines: Mapping[str, Line | None]) -> int:
    """Write ``lines`` where ``index``, which was read before them, has others; return how many were
    written. None are where this role may not write."""
    refused = False

    def correct(name: str) -> bool:
        nonlocal refused
        line = lines[name]
        if line is None or line == index.lines.get(name) or refused:
            return False
        try:
            if name in index.seen:
                seen = index.seen[name]
            else:  # the line was a copy: what is stored has to be read before the truth
                seen, line = read_entry(stage, name), read_line(stage, name)
            if line is None or stored_entry(seen, name, "").line == line:
                return False
            return heal(stage, name, seen, line)
        except AccessDenied:
            refused = True
        except SlipwayError:
            pass  # whoever looks next corrects it
        return False

    with ThreadPoolExecutor(READERS) as pool:
        return sum(pool.map(correct, lines))


def read_entry(source: StageReader, name: str) -> bytes | None:
    """Return the stored entry of ``name``."""
    return source.store.read(keys.index_entry(source.name, name))
