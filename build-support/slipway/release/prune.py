"""Remove the artifacts of old releases; their records stay, so that no version is given twice.

What is kept of each name in a stage: what its alias names, shadow included; the releases that it
stood for before, so that a rollback finds them; the newest ones; and in staging the bytes that
production serves, by which a lost artifact of production is mended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.catalog import journal, keys, tombstone
from slipway.catalog.alias import Alias
from slipway.catalog.catalog import Catalog
from slipway.catalog.journal import Event
from slipway.catalog.keys import Stage
from slipway.catalog.origin import Origin
from slipway.catalog.reader import unknown
from slipway.catalog.record import Record
from slipway.settings import Settings
from slipway.settings.release import STAGES
from slipway.store.interface import Store
from slipway.store.open import open_stage

KEEP = 5


@dataclass(frozen=True)
class Pruned:
    """A release whose artifact of ``size`` bytes was removed, or would be."""

    stage: Stage
    name: str
    target: str
    size: int
    published: str


def candidates(
    settings: Settings, names: Sequence[str], keep: int = KEEP, stages: Sequence[Stage] = STAGES
) -> list[Pruned]:
    """What :func:`prune` would remove: of ``names``, or of all. ``keep`` is how many of the newest
    releases stay, and how many of those that were served last, the one before the last at least.

    Raises:
        SlipwayError: a name was never released, or a store cannot be read.
    """
    served = {} if "staging" not in stages else _served_in_production(settings)
    found: list[Pruned] = []
    known: set[str] = set()
    for stage in stages:
        store = open_stage(settings, stage)
        catalog = Catalog(store, stage)
        of_stage = catalog.names()
        known |= set(of_stage)
        for name in [one for one in (names or of_stage) if one in of_stage]:
            also = served.get(name, set()) if stage == "staging" else set[str]()
            found += [
                Pruned(stage, name, one.target, one.size or 0, one.published)
                for one in _old(store, catalog, name, keep, also)
            ]
    missing = [name for name in names if name not in known]
    if missing:
        raise unknown(missing[0], [Catalog(open_stage(settings, s), s) for s in stages])
    return found


def prune(settings: Settings, old: Pruned, origin: Origin) -> bool:
    """Remove one of :func:`candidates`; false if it is served by now, or gone.

    Its record is marked, then leaves the catalog, then the artifact goes: whenever that is cut
    off, the next call completes it, and nothing is listed without its artifact.

    Raises:
        SlipwayError: the store refuses it.
    """
    store, stage = open_stage(settings, old.stage), old.stage
    catalog = Catalog(store, stage)
    if _is_named(catalog, old):
        return False
    mark = tombstone.find(store, stage, old.name, old.target)
    record = mark.record if mark is not None else catalog.find(old.name, old.target)
    if record is None or (mark is not None and mark.finished is not None):
        return False  # gone; or one who wants it back is at it
    if mark is None:
        tombstone.mark(store, stage, record)
    # who moves an alias looks for the mark afterwards: one of both sees the other
    if _is_named(catalog, old):
        tombstone.unmark(store, stage, record)
        return False
    store.delete(keys.record(stage, old.name, old.target))
    store.delete(keys.artifact(stage, old.target))
    when = journal.now()
    if not tombstone.finish(store, stage, record, when):
        return False  # another one was at the same, and has written the event
    journal.write(store, stage, old.name, Event("prune", old.target, None, when, origin))
    return True


def _old(store: Store, catalog: Catalog, name: str, keep: int, also: set[str]) -> list[Record]:
    stage = catalog.stage
    releases = catalog.releases(name) if catalog.targets(name) else []
    alias = catalog.find_alias(name)
    line = journal.line(journal.read(store, stage, name), alias)
    kept = set(_named(alias)) | {record.target for record in releases[:keep]}
    kept |= {record.target for record in releases if record.sha256 in also}
    there = {record.target for record in releases}
    # a rollback goes along these: what is served now counts, and one before it stays always
    served = dict.fromkeys(frozenset(one.targets) & there for one in reversed(line))
    kept |= set[str]().union(*[targets for targets in served if targets][: max(keep, 2)])
    old = [record for record in releases if record.target not in kept]
    return _cut_off(store, stage, name, catalog) + old


def _cut_off(store: Store, stage: Stage, name: str, catalog: Catalog) -> list[Record]:
    """Releases whose pruning was cut off once they had left the catalog."""
    found = [tombstone.find(store, stage, name, target) for target in catalog.pruned(name)]
    listed = set(catalog.targets(name))
    return [
        one.record
        for one in found
        if one is not None and one.finished is None and one.record.target not in listed
    ]


def _named(alias: Alias | None) -> list[str]:
    if alias is None:
        return []
    return [*alias.targets, *([alias.shadow] if alias.shadow is not None else [])]


def _is_named(catalog: Catalog, old: Pruned) -> bool:
    return old.target in _named(catalog.find_alias(old.name))


def _served_in_production(settings: Settings) -> dict[str, set[str]]:
    """The digests of what production's aliases name, by name.

    Raises:
        SlipwayError: production cannot be read: then nothing of staging is pruned either.
    """
    catalog = Catalog(open_stage(settings, "production"), "production")
    found: dict[str, set[str]] = {}
    for name in catalog.names():
        records = [catalog.find(name, target) for target in _named(catalog.find_alias(name))]
        found[name] = {record.sha256 for record in records if record is not None}
    return found
