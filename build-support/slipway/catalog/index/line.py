"""A line of the index: what a name serves, and the versions of the objects that say so.

Whoever has listed these objects sees whether the line is right, and reads none of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from slipway.catalog import journal, keys
from slipway.catalog.alias import parse_alias
from slipway.catalog.catalog import Catalog
from slipway.catalog.journal import RETIRE, JournalEvent
from slipway.catalog.listing import Listing
from slipway.catalog.record import Record
from slipway.catalog.served import ReleaseFacts, ServedRelease, served_release
from slipway.errors import SlipwayError
from slipway.store.stage import StageReader


@dataclass(frozen=True)
class Line:
    """A name serves ``served``, or was ``retired`` by this event. ``releases`` are its records;
    ``last`` is the file of the event that moved its alias last, empty without one. ``versions`` has
    the version of its alias, and of the record and the artifact of each target model."""

    served: ServedRelease | None
    retired: JournalEvent | None
    releases: int
    last: str
    versions: Mapping[str, str]

    def agrees(self, name: str, listing: Listing, *, artifacts: bool = True) -> bool:
        """Return whether ``listing`` has the objects of ``name`` that this line was read from. With
        ``artifacts`` false it lists none of them, and they are not compared."""
        models = keys.models(listing.stage)
        return (
            listing.has_alias(name) == (self.served is not None)
            and len(listing.records(name)) == self.releases
            and last_move_file(name, listing) == self.last
            and all(
                key in listing.stats and listing.stats[key].version == version
                for key, version in self.versions.items()
                if artifacts or not key.startswith(models)
            )
        )

    def dump(self) -> dict[str, Any]:
        """Return the line as JSON values, which :func:`parse_line` reads."""
        served, retired = self.served, self.retired
        return {
            "served": (
                None
                if served is None
                else {
                    "alias": json.loads(served.alias.dump()),
                    "release": None if served.release is None else asdict(served.release),
                    "since": served.since,
                    "pipeline": served.pipeline,
                    "by": served.by,
                    "action": served.action,
                }
            ),
            "retired": None if retired is None else json.loads(retired.dump()),
            "releases": self.releases,
            "last": self.last,
            "versions": dict(self.versions),
        }


def parse_line(values: dict[str, Any], where: str) -> Line:
    """Return the line that :meth:`Line.dump` wrote.

    Raises:
        SlipwayError: it is damaged.
    """
    try:
        served, retired = values["served"], values["retired"]
        if (served is None) == (retired is None):
            raise ValueError("neither served nor retired")
        if served is not None:
            release = served["release"]
            served = ServedRelease(
                parse_alias(keys.dump_json(served["alias"]), where=where),
                None if release is None else ReleaseFacts(**release),
                *(served[key] for key in ("since", "pipeline", "by", "action")),
            )
        return Line(
            served,
            None if retired is None else journal.parse_event(keys.dump_json(retired), where),
            int(values["releases"]),
            str(values["last"]),
            {str(key): str(version) for key, version in values["versions"].items()},
        )
    except (SlipwayError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SlipwayError(f"a line of the index is damaged: {error!r:.200}", where=where) from None


def read_line(source: StageReader, name: str, listing: Listing | None = None) -> Line | None:
    """Read what ``name`` serves from its alias, its last event and its records, with the versions
    that ``listing`` has of them; without one, the catalog of ``name`` is listed.

    Returns ``None`` if anything is missing, damaged or contradicts another part, which is to be
    looked at each time, or if nothing was served yet.

    Raises:
        SlipwayError: the store cannot be read.
    """
    if listing is None:
        prefix = f"{keys.catalog(source.name)}{name}/"
        listing = Listing(source.name, source.store.stats(prefix))
    try:
        event = journal.last_move(source.store, listing.history(name))
        if listing.has_alias(name):
            return _read_served(source, name, listing, event)
    except SlipwayError:
        return None
    if event is None or event.action != RETIRE:
        return None
    return Line(None, event, len(listing.records(name)), last_move_file(name, listing), {})


def last_move_file(name: str, listing: Listing) -> str:
    """Return the file name of the event that moved the alias of ``name`` last; empty without."""
    files = (key.rpartition("/")[2] for key in listing.history(name))
    return max((file for file in files if "-prune-" not in file), default="")


def _read_served(
    source: StageReader, name: str, listing: Listing, event: JournalEvent | None
) -> Line | None:
    catalog, stage = Catalog(source), source.name
    alias = catalog.find_alias(name)
    if alias is None or (event is not None and event.now != alias):
        return None
    records: dict[str, Record] = {}
    versions = {keys.alias(stage, name): listing.stats[keys.alias(stage, name)].version}
    for target in alias.all_targets:
        if target not in listing.records(name):
            return None
        record = catalog.find_record(name, target)
        key = keys.artifact(stage, target)
        stat = listing.stats.get(key) or source.store.stat(key)
        if record is None or stat is None or record.size not in (None, stat.size):
            return None
        if source.store.records_digests and source.store.digest(key) != record.sha256:
            return None
        records[target], versions[key] = record, stat.version
        key = keys.record(stage, name, target)
        versions[key] = listing.stats[key].version
    served = served_release(alias, records[alias.target], event)
    last = last_move_file(name, listing)
    return Line(served, None, len(listing.records(name)), last, versions)
