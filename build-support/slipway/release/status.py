"""Show what each name serves in staging and production, and where catalog and bucket differ.

The keys of a stage are listed once. Of the releases, only the targets of an alias are read and
checked. :mod:`slipway.release.verify` checks all of them, and their bytes. What seems wrong is
looked at again: a publication that is running writes one object after the other.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from slipway.catalog import journal, keys
from slipway.catalog.alias import Alias
from slipway.catalog.catalog import Catalog
from slipway.catalog.journal import READERS, RETIRE, JournalEvent
from slipway.catalog.listing import Listing, list_stage
from slipway.catalog.reader import unknown_name
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.release.discrepancy import (
    Discrepancy,
    find_changed_object,
    find_orphans,
    find_strangers,
)
from slipway.release.install import is_being_published
from slipway.release.rollback import undo_command
from slipway.release.versioning.distance import Distance, measure_distance
from slipway.settings import Settings
from slipway.settings.release import STAGES, StageName
from slipway.store.open import open_stage

# seconds between two looks at what seems wrong; a publication writes its record and its event
# within one, unless its machine or its network is slow
PAUSES = (0.3, 1.0)


@dataclass(frozen=True)
class ServedRelease:
    """What a name serves in a stage. ``record`` is that of the heaviest variant, ``None`` if it is
    missing. ``since`` (ISO 8601), ``pipeline`` and ``by`` are of the alias's last move."""

    alias: Alias
    record: Record | None
    since: str | None
    pipeline: str | None
    by: str | None
    action: str | None = None

    @property
    def version(self) -> str | None:
        """The release version."""
        return None if self.record is None else self.record.version

    @property
    def commit(self) -> str | None:
        """The commit that it was built from."""
        return None if self.record is None else self.record.commit

    def dump(self) -> dict[str, Any]:
        """Return the release as JSON values."""
        record = self.record
        return {
            "target": self.alias.target,
            "variants": [vars(variant) for variant in self.alias.variants],
            "shadow": self.alias.shadow,
            "version": self.version,
            "commit": self.commit,
            "sha256": None if record is None else record.sha256,
            "size": None if record is None else record.size,
            "published": None if record is None else record.published,
            "training": None if record is None or not record.training else record.training.id,
            "since": self.since,
            "pipeline": self.pipeline,
            "by": self.by,
            "action": self.action,
        }


@dataclass(frozen=True)
class ModelStatus:
    """A model: what each stage serves, ``None`` where it serves nothing; how far staging is ahead
    of production, if both serve it; how many releases each stage has; what is wrong; and the events
    by which it was retired."""

    name: str
    staging: ServedRelease | None
    production: ServedRelease | None
    distance: Distance | None
    releases: Mapping[StageName, int]
    discrepancies: tuple[Discrepancy, ...] = ()
    retired: Mapping[StageName, JournalEvent] = field(default_factory=dict)

    def served(self, stage: StageName) -> ServedRelease | None:
        """Return what ``stage`` serves."""
        return self.staging if stage == "staging" else self.production

    def dump(self) -> dict[str, Any]:
        """Return the status as JSON values."""
        return {
            "name": self.name,
            **{stage: _dump(self.served(stage)) for stage in STAGES},
            "distance": None if self.distance is None else vars(self.distance),
            "releases": dict(self.releases),
            "retired": {
                stage: {
                    "when": event.when,
                    "before": event.before,
                    "reason": event.reason,
                    "by": event.origin.by,
                    "pipeline": event.origin.pipeline,
                }
                for stage, event in self.retired.items()
            },
            "drift": [one.dump(self.name) for one in self.discrepancies],
        }


def load_status(settings: Settings, names: Sequence[str] = ()) -> list[ModelStatus]:
    """Return the status of ``names``, or of every name that was ever released, in their order.

    Raises:
        SlipwayError: a store cannot be read, or one of ``names`` was never released.
    """
    catalogs = [Catalog(open_stage(settings, stage)) for stage in STAGES]
    with ThreadPoolExecutor(READERS) as pool:
        listings = list(pool.map(lambda catalog: list_stage(catalog.source, names), catalogs))
        known = sorted({name for listing in listings for name in listing.names})
        for name in names:
            if name not in known:
                raise unknown_name(name, catalogs)
        chosen = list(dict.fromkeys(names)) or known
        inspections = [
            pool.map(partial(_inspect_twice, catalog, listing), chosen)
            for catalog, listing in zip(catalogs, listings, strict=True)
        ]

        def combine(name: str, staging: _Inspection, production: _Inspection) -> ModelStatus:
            return ModelStatus(
                name,
                staging.served,
                production.served,
                _distance(settings, staging.served, production.served),
                {listing.stage: len(listing.records(name)) for listing in listings},
                (*staging.discrepancies, *production.discrepancies),
                {
                    stage: inspection.retired
                    for stage, inspection in zip(STAGES, (staging, production), strict=True)
                    if inspection.retired is not None
                },
            )

        statuses = list(pool.map(combine, chosen, *inspections))
    strangers = () if names else _find_strangers_twice(catalogs, listings, chosen)
    if strangers:  # objects that no name has, as one more status without a name
        none = dict.fromkeys(STAGES, 0)
        statuses.append(ModelStatus("", None, None, None, none, strangers))
    return statuses


@dataclass(frozen=True)
class _Inspection:
    """One name in one stage."""

    served: ServedRelease | None
    discrepancies: Sequence[Discrepancy]
    retired: JournalEvent | None = None


def _inspect_twice(catalog: Catalog, listing: Listing, name: str) -> _Inspection:
    """Look at ``name`` until nothing seems wrong, or the same does each time."""
    found = _inspect(catalog, listing, name)
    for pause in PAUSES:
        if not found.discrepancies:
            break
        time.sleep(pause)
        again = _inspect(catalog, list_stage(catalog.source, [name]), name)
        remaining = [one for one in again.discrepancies if one in found.discrepancies]
        found = _Inspection(again.served, remaining, again.retired)
    return found


def _find_strangers_twice(
    catalogs: Sequence[Catalog], listings: Sequence[Listing], names: Sequence[str]
) -> tuple[Discrepancy, ...]:
    strangers = tuple(find_strangers(listings, names))
    for pause in PAUSES:
        if not strangers:
            break
        time.sleep(pause)
        again = [list_stage(catalog.source) for catalog in catalogs]
        known = {name for listing in again for name in listing.names}
        remaining = list(find_strangers(again, sorted({*names, *known})))
        strangers = tuple(one for one in strangers if one in remaining)
    return strangers


def _inspect(catalog: Catalog, listing: Listing, name: str) -> _Inspection:
    discrepancies = list(
        find_orphans(listing, name, partial(is_being_published, catalog.source, name))
    )
    stage, key = catalog.stage, keys.alias(catalog.stage, name)
    if not listing.has_alias(name):
        try:
            last = journal.last_move(catalog.source.store, listing.history(name))
        except SlipwayError as error:
            discrepancies.append(
                Discrepancy(stage, "damaged", str(error.where), f"{error.what}; {error.fix}")
            )
            return _Inspection(None, discrepancies)
        if last is not None and last.action == RETIRE:
            return _Inspection(None, discrepancies, last)
        if last is not None:
            again = undo_command(last.now, stage, name) or f"slipway alias {name} RELEASE"
            fix = f"{again}; or slipway retire {name} --stage {stage}"
            discrepancies.append(Discrepancy(stage, "alias moved without an event", key, fix))
        return _Inspection(None, discrepancies)
    available = listing.records(name) & listing.objects(name)
    records: dict[str, Record] = {}
    try:
        alias = catalog.alias(name)
        event = journal.last_move(catalog.source.store, listing.history(name))
        for target in alias.all_targets:
            if target in available:
                records[target] = catalog.record(name, target)
                discrepancies += find_changed_object(catalog.source, records[target])
            else:
                fix = f"slipway rollback {name} --stage {stage}"
                discrepancies.append(
                    Discrepancy(stage, "alias to a release that is not there", key, fix)
                )
    except SlipwayError as error:
        discrepancies.append(
            Discrepancy(stage, "damaged", str(error.where), f"{error.what}; {error.fix}")
        )
        return _Inspection(None, discrepancies)
    if event is not None and event.now != alias:
        fix = f"slipway alias {name} {alias.target} --stage {stage}"
        discrepancies.append(Discrepancy(stage, "alias moved without an event", key, fix))
        event = None
    return _Inspection(_current_release(alias, records.get(alias.target), event), discrepancies)


def _current_release(
    alias: Alias, record: Record | None, event: JournalEvent | None
) -> ServedRelease:
    if event is None:
        published = None if record is None else record.published
        return ServedRelease(alias, record, published, None, None)
    origin = event.origin
    return ServedRelease(alias, record, event.when, origin.pipeline, origin.by, event.action)


def _distance(
    settings: Settings, staging: ServedRelease | None, production: ServedRelease | None
) -> Distance | None:
    if staging is None or production is None or not staging.record or not production.record:
        return None
    return measure_distance(settings.root, staging.record, production.record)


def _dump(release: ServedRelease | None) -> dict[str, Any] | None:
    return None if release is None else release.dump()
