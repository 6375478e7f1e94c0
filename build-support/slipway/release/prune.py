"""Remove the artifacts of old releases; their records stay, so that no version is used twice.

Kept of each name in a stage are: the targets of its alias, shadow included; the releases that it
served before, so that a rollback finds them; the newest ones; and in staging the bytes that
production serves, from which a lost artifact of production can be restored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.catalog import journal, keys, tombstone
from slipway.catalog.alias import Alias
from slipway.catalog.catalog import Catalog
from slipway.catalog.journal import JournalEvent
from slipway.catalog.origin import Origin
from slipway.catalog.reader import unknown_name
from slipway.catalog.record import Record
from slipway.catalog.tombstone import load_tombstone
from slipway.settings import Settings
from slipway.settings.release import STAGES, StageName
from slipway.store.open import open_stage

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
    settings: Settings, names: Sequence[str], keep: int = KEEP, stages: Sequence[StageName] = STAGES
) -> list[PruneCandidate]:
    """Return what :func:`prune` would remove of ``names``, or of all names. ``keep`` is how many of
    the newest releases stay, and how many of those that were served last, at least two.

    Raises:
        SlipwayError: a name was never released, or a store cannot be read.
    """
    served = {} if "staging" not in stages else _served_in_production(settings)
    catalogs = [Catalog(open_stage(settings, stage)) for stage in stages]
    selected: list[PruneCandidate] = []
    known: set[str] = set()
    for catalog in catalogs:
        released = catalog.names()
        known |= set(released)
        for name in [name for name in (names or released) if name in released]:
            digests = served.get(name, set()) if catalog.stage == "staging" else set[str]()
            selected += [
                PruneCandidate(
                    catalog.stage, name, record.target, record.size or 0, record.published
                )
                for record in _old_releases(catalog, name, keep, digests)
            ]
    missing = [name for name in names if name not in known]
    if missing:
        raise unknown_name(missing[0], catalogs)
    return selected


def prune(settings: Settings, candidate: PruneCandidate, origin: Origin) -> bool:
    """Remove one of :func:`candidates`; return false if it is served meanwhile, or gone.

    A tombstone is written, then the record leaves the catalog, then the artifact is removed. If
    that is interrupted, the next call completes it, and nothing is listed without its artifact.

    Raises:
        SlipwayError: the store refuses it.
    """
    stage, name, target = open_stage(settings, candidate.stage), candidate.name, candidate.target
    catalog = Catalog(stage)
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
    stage.store.delete(keys.record(stage.name, name, target))
    stage.store.delete(keys.artifact(stage.name, target))
    when = journal.now()
    if not tombstone.finish(stage, record, when):
        return False  # another call removed it at the same time, and has written the event
    journal.append_event(stage, name, JournalEvent("prune", target, None, when, origin))
    return True


def _old_releases(catalog: Catalog, name: str, keep: int, digests: set[str]) -> list[Record]:
    """Return the releases that are not kept; those with one of ``digests`` are."""
    releases = catalog.releases(name) if catalog.targets(name) else []
    alias = catalog.find_alias(name)
    aliases = journal.lineage(journal.load_events(catalog.source, name), alias)
    existing = {record.target for record in releases}
    keep_targets = set(_alias_targets(alias)) | {record.target for record in releases[:keep]}
    keep_targets |= {record.target for record in releases if record.sha256 in digests}
    # a rollback goes along these: the current one counts, and one before it is always kept
    served = dict.fromkeys(frozenset(alias.targets) & existing for alias in reversed(aliases))
    keep_targets |= set[str]().union(*[targets for targets in served if targets][: max(keep, 2)])
    old = [record for record in releases if record.target not in keep_targets]
    return _half_pruned(catalog, name) + old


def _half_pruned(catalog: Catalog, name: str) -> list[Record]:
    """Return the releases whose pruning was interrupted after their record was removed."""
    listed = set(catalog.targets(name))
    tombstones = [
        load_tombstone(catalog.source, name, target) for target in catalog.pruned_targets(name)
    ]
    return [
        tombstone.record
        for tombstone in tombstones
        if tombstone is not None
        and tombstone.finished is None
        and tombstone.record.target not in listed
    ]


def _alias_targets(alias: Alias | None) -> Sequence[str]:
    return () if alias is None else alias.all_targets


def _served_in_production(settings: Settings) -> dict[str, set[str]]:
    """Return the digests of the targets of production's aliases, by name.

    Raises:
        SlipwayError: production cannot be read: then nothing of staging is pruned either.
    """
    catalog = Catalog(open_stage(settings, "production"))
    digests: dict[str, set[str]] = {}
    for name in catalog.names():
        targets = _alias_targets(catalog.find_alias(name))
        records = [catalog.find_record(name, target) for target in targets]
        digests[name] = {record.sha256 for record in records if record is not None}
    return digests
