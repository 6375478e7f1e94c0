"""Find differences between a stage's catalog and its bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from slipway.catalog import keys
from slipway.catalog.listing import Listing
from slipway.catalog.record import Record
from slipway.settings.release import StageName
from slipway.store.stage import StageReader

What = Literal[
    "object without a record",
    "publication is running, or was interrupted",
    "record without an object",
    "alias to a release that is not there",
    "pruning was cut off",
    "object of another size",
    "object of other bytes",
    "alias moved without an event",
    "damaged",
]


RUNNING: What = "publication is running, or was interrupted"


@dataclass(frozen=True)
class Discrepancy:
    """A place where catalog and bucket differ; ``key`` is in the stage's store."""

    stage: StageName
    what: What
    key: str
    fix: str

    def dump(self, name: str) -> dict[str, str]:
        """Return the difference as JSON values. The key of a damaged alias is the model's ``name``,
        as scripts know it."""
        damaged_alias = self.what == "damaged" and self.key == keys.alias(self.stage, name)
        return vars(self) | {"key": name if damaged_alias else self.key}


def find_orphans(
    listing: Listing, name: str, is_being_published: Callable[[str], bool] = lambda _: False
) -> Iterator[Discrepancy]:
    """Yield the objects of ``name`` without a record, and the records without an object.

    ``is_being_published`` is called with the target model of an object without a record.
    """
    stage = listing.stage
    records, objects, tombstones = (
        listing.records(name),
        listing.objects(name),
        listing.tombstones(name),
    )
    prune = f"slipway prune {name} --stage {stage}"
    again = f"slipway publish models/{name}" if stage == "staging" else f"slipway promote {name}"
    for target in sorted(objects - records):
        key = keys.artifact(stage, target)
        if target in tombstones:
            yield Discrepancy(stage, "pruning was cut off", key, prune)
        elif is_being_published(target):
            fix = f"look again in a minute; {again} completes an interrupted one"
            yield Discrepancy(stage, RUNNING, key, fix)
        else:
            yield Discrepancy(stage, "object without a record", key, f"{again}, or remove it")
    for target in sorted(records - objects):
        key = keys.record(stage, name, target)
        if target in tombstones:
            yield Discrepancy(stage, "pruning was cut off", key, prune)
        else:
            yield Discrepancy(stage, "record without an object", key, again)


def find_changed_object(source: StageReader, record: Record) -> Iterator[Discrepancy]:
    """Yield how the artifact of ``record`` differs from it, as far as its bytes need not be read.

    Only a store that records digests is asked for one; ``slipway verify`` reads the bytes.
    """
    stage, key = source.name, keys.artifact(source.name, record.target)
    fix = f"slipway rollback {record.name} --stage {stage}, and publish the version after it"
    stat = source.store.stat(key)
    if stat is None:
        return
    if record.size is not None and stat.size != record.size:
        yield Discrepancy(stage, "object of another size", key, fix)
    elif source.store.records_digests and source.store.digest(key) != record.sha256:
        yield Discrepancy(stage, "object of other bytes", key, fix)


def find_strangers(listings: Sequence[Listing], names: Sequence[str]) -> Iterator[Discrepancy]:
    """Yield the objects that belong to none of ``names``."""
    for listing in listings:
        for key in listing.strangers(names):
            fix = "publish it with slipway, or remove it"
            yield Discrepancy(listing.stage, "object without a record", key, fix)
