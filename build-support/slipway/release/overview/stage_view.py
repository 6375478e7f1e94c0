"""Look at every name of a stage, by the index where that is right, else by the catalog.

A store of some thousand keys is listed whole: then each line of the index is compared with the
versions of the objects that it was read from. In a larger one, only a few names are compared, by
chance; if one of them differs, the whole stage is listed after all. What differs is healed.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from slipway.catalog import keys
from slipway.catalog.catalog import Catalog
from slipway.catalog.index.entry import stored_entry
from slipway.catalog.index.repair import correct_lines, read_entry
from slipway.catalog.index.snapshot import Index, read_index, refresh_snapshot
from slipway.catalog.journal import READERS
from slipway.catalog.listing import Listing, list_stage
from slipway.errors import SlipwayError
from slipway.release.overview.inspection import Inspection, inspect_twice
from slipway.store.stage import StageReader, StageStore

LISTED = 15_000  # keys at most of a stage that is listed each time: 15 requests to S3
KEYS_A_RELEASE = 5  # artifact, record, event, claim, evidence
COMPARED = 10  # names of a larger one: a request each


@dataclass(frozen=True)
class StageView:
    """The names of a stage, sorted, and each of them; ``listing`` if all keys were listed.

    Of ``lines`` names in the index, ``compared`` were compared with the catalog, and ``differed``.
    ``read`` names were read from the catalog, ``healed`` are in the index since. ``damaged`` keys
    of the index were ignored.
    """

    names: Sequence[str]
    inspections: Mapping[str, Inspection]
    releases: Mapping[str, int]
    listing: Listing | None
    lines: int = 0
    compared: int = 0
    differed: int = 0
    read: int = 0
    healed: int = 0
    damaged: Sequence[str] = ()


def view_names(source: StageStore, names: Sequence[str]) -> StageView:
    """Look at ``names`` alone, by the catalog; correct the index where it differs."""
    catalog = Catalog(source)
    with ThreadPoolExecutor(READERS) as pool:
        seen = dict(zip(names, pool.map(lambda name: read_entry(source, name), names), strict=True))
        listing = list_stage(source, names)
        known = [name for name in names if name in listing.names]
        found = pool.map(lambda name: inspect_twice(catalog, listing, name), known)
        inspections = dict(zip(known, found, strict=True))
    index = Index(tuple(known), {}, seen, (), 0, {}, None)
    healed = correct_lines(source, index, {name: found.line for name, found in inspections.items()})
    counts = {name: len(listing.records(name)) for name in known}
    return StageView(known, inspections, counts, listing, read=len(known), healed=healed)


def view_stage(
    source: StageStore,
    *,
    complete: bool = False,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> StageView:
    """Look at every name; with ``complete`` compare all of the index with the catalog, however
    large it is. ``progress`` is called with how many names were looked at, and their number.

    Raises:
        SlipwayError: the store cannot be read.
    """
    catalog, index = Catalog(source), read_index(source)
    releases = sum(line.releases for line in index.lines.values())
    listing, differing, compared = None, list[str](), 0
    if not (complete or releases * KEYS_A_RELEASE <= LISTED):
        sample = random.sample(sorted(index.lines), min(COMPARED, len(index.lines)))
        differing, compared = _differing(source, index, sample), len(sample)
    if complete or differing or releases * KEYS_A_RELEASE <= LISTED:
        listing = list_stage(source)
        differing = [
            name
            for name, line in index.lines.items()
            if name in listing.names and not line.agrees(name, listing)
        ]
        compared = len(index.lines)
    names = listing.names if listing is not None else list(index.names)
    done = 0

    def look(name: str) -> tuple[Inspection, int]:
        nonlocal done
        line = index.lines.get(name)
        if listing is None and line is not None:
            found = Inspection(line.served, (), line.retired, line), line.releases
        else:
            listed = listing if listing is not None else list_stage(source, [name])
            found = inspect_twice(catalog, listed, name, line), len(listed.records(name))
        done += 1
        progress(done, len(names))
        return found

    with ThreadPoolExecutor(READERS) as pool:
        looked = dict(zip(names, pool.map(look, names), strict=True))
    inspections = {name: found for name, (found, _) in looked.items()}
    read = sum(index.lines.get(name) != found.line for name, found in inspections.items())
    healed = correct_lines(source, index, {name: found.line for name, found in inspections.items()})
    with contextlib.suppress(SlipwayError):  # a reader need not be allowed to write
        refresh_snapshot(source, index)
    counts = {name: count for name, (_, count) in looked.items()}
    return StageView(
        names,
        inspections,
        counts,
        listing,
        len(index.lines),
        compared,
        len(differing),
        read,
        healed,
        index.damaged,
    )


def _differing(source: StageReader, index: Index, names: Sequence[str]) -> list[str]:
    """Return those of ``names`` whose line differs from the catalog, and was not changed since."""

    def differs(name: str) -> bool:
        line = index.lines[name]
        stats = source.store.stats(f"{keys.catalog(source.name)}{name}/")
        if line.agrees(name, Listing(source.name, stats), artifacts=False):
            return False
        return stored_entry(read_entry(source, name), name, "").line == line

    with ThreadPoolExecutor(READERS) as pool:
        return [name for name, wrong in zip(names, pool.map(differs, names), strict=True) if wrong]
