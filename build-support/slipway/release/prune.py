"""Remove the artifacts of old releases; their records stay, so that no version is used twice.

Kept of each name in a stage are: the targets of its alias, shadow included; the releases that it
served before, so that a rollback finds them; the newest ones; and in staging the bytes that
production serves, from which a lost artifact of production can be restored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

from slipway.catalog import journal, keys, tombstone
from slipway.catalog.alias import Alias
from slipway.catalog.catalog import Catalog
from slipway.catalog.index.move import Move
from slipway.catalog.index.repair import repair_index
from slipway.catalog.journal import READERS, JournalEvent
from slipway.catalog.listing import Listing, list_stage
from slipway.catalog.origin import Origin
from slipway.catalog.reader import unknown_name
from slipway.catalog.record import Record
from slipway.catalog.tombstone import load_tombstone
from slipway.release.runs.resumable import Resumable
from slipway.settings import Settings
from slipway.settings.release import STAGES, StageName
from slipway.store.open import open_stage
from slipway.store.stage import StageStore

KEEP = 5


@dataclass(frozen=True)
class PruneCandidate:
    """A release whose artifact of ``size`` bytes was removed, or would be."""

    stage: StageName
    name: str
    target: str
    size: int
    published: str


def candidates(
    settings: Settings,
    names: Sequence[str],
    keep: int = KEEP,
    stages: Sequence[StageName] = STAGES,
    *,
    run: Resumable | None = None,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> list[PruneCandidate]:
    """Return what :func:`prune` would remove of ``names``, or of all names. ``keep`` is how many of
    the newest releases stay, and how many of those that were served last, at least two.

    Each stage is listed once. What was selected of a name is noted in ``run``, and read from there
    while no object of that name changes. Without ``names``, the index is compared with the catalog
    as well, and corrected. ``progress`` is called with how many names are done, and their number.

    Raises:
        SlipwayError: a name was never released, or a store cannot be read.
    """
    sources = {stage: open_stage(settings, stage) for stage in stages}
    listings = {stage: list_stage(source, names) for stage, source in sources.items()}
    known = {name for listing in listings.values() for name in listing.names}
    missing = [name for name in names if name not in known]
    if missing:
        raise unknown_name(missing[0], [Catalog(source) for source in sources.values()])
    if not names:
        for stage, source in sources.items():
            repair_index(source, listings[stage])
    served = {} if "staging" not in stages else _served_in_production(settings, names)
    chosen = [
        (stage, name)
        for stage, listing in listings.items()
        for name in (dict.fromkeys(names) or listing.names)
        if name in listing.names
    ]

    def select(place: tuple[StageName, str]) -> list[PruneCandidate]:
        stage, name = place
        digests = served.get(name, set()) if stage == "staging" else set[str]()
        listing, catalog = listings[stage], Catalog(sources[stage])
        content = _content(listing, name, keep, digests)
        noted = None if run is None else run.get(f"{stage}/{name}")
        if noted and noted[0] == content:
            return [PruneCandidate(stage, name, *values) for values in noted[1]]
        found = [
            PruneCandidate(stage, name, record.target, record.size or 0, record.published)
            for record in _old_releases(catalog, listing, name, keep, digests)
        ]
        if run is not None:
            values = [[each.target, each.size, each.published] for each in found]
            run.add(f"{stage}/{name}", [content, values])
        return found

    selected: list[PruneCandidate] = []
    with ThreadPoolExecutor(READERS) as pool:
        for done, found in enumerate(pool.map(select, chosen), 1):
            selected += found
            progress(done, len(chosen))
    return selected


def unfinished_run(settings: Settings, keep: int) -> Resumable:
    """Return the notes of the run before this one, if it removed nothing, or not all."""
    return Resumable("prune", [str(keep), *(str(settings.stage(stage)) for stage in STAGES)])


def prune_all(
    settings: Settings, selected: Sequence[PruneCandidate], origin: Origin
) -> Iterator[PruneCandidate | None]:
    """Remove ``selected``, name by name; yield each that was removed, ``None`` for one that is
    served meanwhile, or gone.

    Raises:
        SlipwayError: the store refuses it.
    """
    sources = {stage: open_stage(settings, stage) for stage in {each.stage for each in selected}}
    for (stage, name), group in groupby(selected, key=lambda each: (each.stage, each.name)):
        with Move(sources[stage], name) as move:
            for candidate in group:
                yield candidate if _prune(sources[stage], candidate, origin, move) else None


def prune(settings: Settings, candidate: PruneCandidate, origin: Origin) -> bool:
    """Remove one of :func:`candidates`; return false if it is served meanwhile, or gone.

    A tombstone is written, then the record leaves the catalog, then the artifact is removed. If
    that is interrupted, the next call completes it, and nothing is listed without its artifact.

    Raises:
        SlipwayError: the store refuses it.
    """
    stage = open_stage(settings, candidate.stage)
    with Move(stage, candidate.name) as move:
        return _prune(stage, candidate, origin, move)


def _prune(stage: StageStore, candidate: PruneCandidate, origin: Origin, move: Move) -> bool:
    name, target, catalog = candidate.name, candidate.target, Catalog(stage)
    if target in _alias_targets(catalog.find_alias(name)):
        return False
    existing = load_tombstone(stage, name, target)
    record = existing.record if existing is not None else catalog.find_record(name, target)
    if record is None or (existing is not None and existing.finished is not None):
        return False  # gone; or another call is publishing it again
    if existing is None:
        tombstone.mark(stage, record)
    # a call that moves an alias looks for the tombstone afterwards: one of both sees the other
    if target in _alias_targets(catalog.find_alias(name)):
        tombstone.unmark(stage, record)
        return False
    move.begin_if_allowed()  # else its line has the old number of releases until it is compared
    stage.store.delete(keys.record(stage.name, name, target))
    stage.store.delete(keys.artifact(stage.name, target))
    when = journal.now()
    if not tombstone.finish(stage, record, when):
        return False  # another call removed it at the same time, and has written the event
    journal.append_event(stage, name, JournalEvent("prune", target, None, when, origin))
    return True


def _content(listing: Listing, name: str, keep: int, digests: set[str]) -> str:
    """Return a digest of all that the selection of ``name`` depends on."""
    versions = [(key, listing.stats[key].version) for key in listing.catalog_keys(name)]
    return hashlib.sha256(repr((keep, sorted(digests), sorted(versions))).encode()).hexdigest()


def _old_releases(
    catalog: Catalog, listing: Listing, name: str, keep: int, digests: set[str]
) -> list[Record]:
    """Return the releases that are not kept; those with one of ``digests`` are."""
    half_pruned = _half_pruned(catalog, listing, name)
    if len(listing.records(name)) <= keep:
        return half_pruned
    releases = catalog.load_records(name, sorted(listing.records(name)))
    alias = catalog.find_alias(name)
    events = journal.read_events(catalog.source.store, listing.history(name))
    aliases = journal.lineage(events, alias)
    existing = {record.target for record in releases}
    keep_targets = set(_alias_targets(alias)) | {record.target for record in releases[:keep]}
    keep_targets |= {record.target for record in releases if record.sha256 in digests}
    # a rollback goes along these: the current one counts, and one before it is always kept
    served = dict.fromkeys(frozenset(alias.targets) & existing for alias in reversed(aliases))
    keep_targets |= set[str]().union(*[targets for targets in served if targets][: max(keep, 2)])
    return half_pruned + [record for record in releases if record.target not in keep_targets]


def _half_pruned(catalog: Catalog, listing: Listing, name: str) -> list[Record]:
    """Return the releases whose pruning was interrupted after their record was removed."""
    tombstones = [
        load_tombstone(catalog.source, name, target)
        for target in sorted(listing.tombstones(name) - listing.records(name))
    ]
    return [
        tombstone.record
        for tombstone in tombstones
        if tombstone is not None and tombstone.finished is None
    ]


def _alias_targets(alias: Alias | None) -> Sequence[str]:
    return () if alias is None else alias.all_targets


def _served_in_production(settings: Settings, names: Sequence[str]) -> dict[str, set[str]]:
    """Return the digests of the targets of production's aliases, by name.

    Raises:
        SlipwayError: production cannot be read: then nothing of staging is pruned either.
    """
    catalog = Catalog(open_stage(settings, "production"))

    def digests(name: str) -> set[str]:
        targets = _alias_targets(catalog.find_alias(name))
        records = [catalog.find_record(name, target) for target in targets]
        return {record.sha256 for record in records if record is not None}

    chosen = list(names) or catalog.names()
    with ThreadPoolExecutor(READERS) as pool:
        return dict(zip(chosen, pool.map(digests, chosen), strict=True))
