"""What each model's name stands for in staging and production, and where catalog and bucket differ.

The keys of a stage are listed once; of the releases, only those that an alias names are read and
looked at. :mod:`slipway.release.verify` looks at all of them, and at their bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from slipway.catalog import alias as aliases
from slipway.catalog import journal, keys
from slipway.catalog import record as records
from slipway.catalog.alias import Alias
from slipway.catalog.catalog import Catalog
from slipway.catalog.journal import READERS, Event
from slipway.catalog.keys import Stage
from slipway.catalog.listing import Listing, list_stage
from slipway.catalog.reader import unknown
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.release.versioning.distance import Distance, between
from slipway.settings import Settings
from slipway.settings.release import STAGES
from slipway.store.directory import DirectoryStore
from slipway.store.interface import Reader, Store
from slipway.store.open import open_stage

What = Literal[
    "object without a record",
    "record without an object",
    "alias to a release that is not there",
    "pruning was cut off",
    "object of another size",
    "object of other bytes",
    "alias moved without an event",
    "damaged",
]


@dataclass(frozen=True)
class Drift:
    """A place where catalog and bucket do not agree; ``key`` is in the stage's store."""

    stage: Stage
    what: What
    key: str
    fix: str


@dataclass(frozen=True)
class Served:
    """What a name stands for in a stage: ``record`` is that of the heaviest variant, ``None`` if it
    is missing. ``since`` (ISO 8601), ``pipeline`` and ``by`` are of the alias's last move."""

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
        """The commit that it was made from."""
        return None if self.record is None else self.record.commit


@dataclass(frozen=True)
class Status:
    """A model: what is served of it, ``None`` in a stage where nothing is; how far staging is ahead
    of production, if both serve it; how many releases there are in each; and what is wrong."""

    name: str
    staging: Served | None
    production: Served | None
    distance: Distance | None
    releases: Mapping[Stage, int]
    drift: tuple[Drift, ...] = ()

    def served(self, stage: Stage) -> Served | None:
        """What is served of it in ``stage``."""
        return self.staging if stage == "staging" else self.production

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "name": self.name,
            **{stage: _dump(self.served(stage)) for stage in STAGES},
            "distance": None if self.distance is None else vars(self.distance),
            "releases": dict(self.releases),
            "drift": [vars(drift) for drift in self.drift],
        }


def status(settings: Settings, names: Sequence[str] = ()) -> list[Status]:
    """How it stands with ``names``, or with every name that was ever released, in their order.

    Raises:
        SlipwayError: a store cannot be read, or none of ``names`` was ever released.
    """
    stores: dict[Stage, Store] = {stage: open_stage(settings, stage) for stage in STAGES}
    with ThreadPoolExecutor(READERS) as pool:
        listed = dict(
            zip(STAGES, pool.map(lambda s: list_stage(stores[s], s, names), STAGES), strict=True)
        )
        known = sorted({name for listing in listed.values() for name in listing.names})
        for name in names:
            if name not in known:
                raise unknown(name, [Catalog(stores[stage], stage) for stage in STAGES])
        chosen = list(dict.fromkeys(names)) or known
        asked = [(stage, name) for name in chosen for stage in STAGES]
        found = dict(
            zip(
                asked,
                pool.map(lambda one: _look(stores[one[0]], listed[one[0]], *one), asked),
                strict=True,
            )
        )

        def one(name: str) -> Status:
            staging, production = found["staging", name], found["production", name]
            return Status(
                name,
                staging.served,
                production.served,
                _distance(settings, name, staging.served, production.served),
                {stage: len(listed[stage].records(name)) for stage in STAGES},
                (*staging.drift, *production.drift),
            )

        made = list(pool.map(one, chosen))
    if names:
        return made
    return made + _strangers(listed, chosen)


@dataclass(frozen=True)
class _Looked:
    served: Served | None
    drift: list[Drift] = field(default_factory=list)


def _look(store: Store, listing: Listing, stage: Stage, name: str) -> _Looked:
    """One name in one stage."""
    drift: list[Drift] = []
    records_of, objects = listing.records(name), listing.objects(name)
    pruned = listing.pruned(name)
    again = f"slipway publish models/{name}" if stage == "staging" else f"slipway promote {name}"
    for target in sorted(objects - records_of):
        what: What = "pruning was cut off" if target in pruned else "object without a record"
        fix = (
            f"slipway prune {name} --stage {stage}"
            if target in pruned
            else f"{again}, or remove it"
        )
        drift.append(Drift(stage, what, keys.artifact(stage, target), fix))
    for target in sorted(records_of - objects):
        what = "pruning was cut off" if target in pruned else "record without an object"
        fix = f"slipway prune {name} --stage {stage}" if target in pruned else again
        drift.append(Drift(stage, what, keys.record(stage, name, target), fix))
    if not listing.has_alias(name):
        return _Looked(None, drift)
    try:
        alias = aliases.parse(store.read(keys.alias(stage, name)) or b"", where=name)
        event = journal.last_move(store, listing.history(name))
        named = [*alias.targets, *([alias.shadow] if alias.shadow is not None else [])]
        known: dict[str, Record] = {}
        for target in named:
            if target in records_of & objects:
                known[target] = _read(store, stage, name, target)
                drift += _changed(store, stage, known[target])
            else:
                at, fix = keys.alias(stage, name), f"slipway rollback {name} --stage {stage}"
                drift.append(Drift(stage, "alias to a release that is not there", at, fix))
    except SlipwayError as error:
        drift.append(Drift(stage, "damaged", str(error.where), f"{error.what}; {error.fix}"))
        return _Looked(None, drift)
    if event is not None and event.now != alias:
        fix = f"slipway alias {name} {alias.target} --stage {stage}"
        drift.append(Drift(stage, "alias moved without an event", keys.alias(stage, name), fix))
        event = None
    return _Looked(_served(alias, known.get(alias.target), event), drift)


def _changed(store: Store, stage: Stage, record: Record) -> Iterable[Drift]:
    key = keys.artifact(stage, record.target)
    fix = f"slipway rollback {record.name} --stage {stage}, and publish the version after it"
    stat = store.stat(key)
    if stat is not None and record.size is not None and stat.size != record.size:
        yield Drift(stage, "object of another size", key, fix)
    elif stat is not None and not isinstance(store, DirectoryStore):
        # S3 keeps the digest beside the bytes; those of a folder are read by verifying
        if store.digest(key) != record.sha256:
            yield Drift(stage, "object of other bytes", key, fix)


def _read(store: Reader, stage: Stage, name: str, target: str) -> Record:
    key = keys.record(stage, name, target)
    return records.parse(store.read(key) or b"", key)


def _served(alias: Alias, record: Record | None, event: Event | None) -> Served:
    if event is None:
        published = None if record is None else record.published
        return Served(alias, record, published, None, None)
    origin = event.origin
    return Served(alias, record, event.when, origin.pipeline, origin.by, event.action)


def _distance(
    settings: Settings, name: str, staging: Served | None, production: Served | None
) -> Distance | None:
    if staging is None or production is None or not staging.record or not production.record:
        return None
    return between(settings.root, staging.record, production.record)


def _strangers(listed: Mapping[Stage, Listing], names: Sequence[str]) -> list[Status]:
    """Objects that no name has, as one more status without a name."""
    drift = [
        Drift(stage, "object without a record", key, "publish it with slipway, or remove it")
        for stage, listing in listed.items()
        for key in listing.strangers(names)
    ]
    none: dict[Stage, int] = dict.fromkeys(STAGES, 0)
    return [Status("", None, None, None, none, tuple(drift))] if drift else []


def _dump(served: Served | None) -> dict[str, Any] | None:
    if served is None:
        return None
    record = served.record
    return {
        "target": served.alias.target,
        "variants": [vars(variant) for variant in served.alias.variants],
        "shadow": served.alias.shadow,
        "version": served.version,
        "commit": served.commit,
        "sha256": None if record is None else record.sha256,
        "size": None if record is None else record.size,
        "published": None if record is None else record.published,
        "since": served.since,
        "pipeline": served.pipeline,
        "by": served.by,
        "action": served.action,
    }
