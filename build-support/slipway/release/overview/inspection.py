"""Look at one name in one stage: what it serves, and where catalog and bucket differ.

What seems wrong is looked at again: a publication that is running writes one object after the
other.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from slipway.catalog import journal, keys
from slipway.catalog.catalog import Catalog
from slipway.catalog.index.line import Line, read_line
from slipway.catalog.journal import RETIRE, JournalEvent
from slipway.catalog.listing import Listing, list_stage
from slipway.catalog.record import Record
from slipway.catalog.served import ServedRelease, served_release
from slipway.errors import SlipwayError
from slipway.release.install import is_being_published
from slipway.release.overview.discrepancy import Discrepancy, find_changed_object, find_orphans
from slipway.release.rollback import undo_command

# seconds between two looks at what seems wrong; a publication writes its record and its event
# within one, unless its machine or its network is slow
PAUSES = (0.3, 1.0)


@dataclass(frozen=True)
class Inspection:
    """What a name serves, or by what it was retired, and what is wrong; the ``line`` of the index
    that says the same, if what it says can be relied on."""

    served: ServedRelease | None
    discrepancies: Sequence[Discrepancy]
    retired: JournalEvent | None = None
    line: Line | None = None


def inspect_twice(
    catalog: Catalog, listing: Listing, name: str, known: Line | None = None
) -> Inspection:
    """Look at ``name`` until nothing seems wrong, or the same does each time.

    Nothing is read where ``known``, a line of the index, agrees with ``listing``.

    Raises:
        SlipwayError: the store cannot be read.
    """
    found = _inspect(catalog, listing, name, known)
    for pause in PAUSES:
        if not found.discrepancies:
            break
        time.sleep(pause)
        again = _inspect(catalog, list_stage(catalog.source, [name]), name, known)
        remaining = [one for one in again.discrepancies if one in found.discrepancies]
        found = Inspection(again.served, remaining, again.retired, again.line)
    return found


def _inspect(catalog: Catalog, listing: Listing, name: str, known: Line | None) -> Inspection:
    discrepancies = list(
        find_orphans(listing, name, partial(is_being_published, catalog.source, name))
    )
    agrees = known is not None and known.agrees(name, listing)
    line = known if agrees else read_line(catalog.source, name, listing)
    if line is not None:
        return Inspection(line.served, discrepancies, line.retired, line)
    return _inspect_wrong(catalog, listing, name, discrepancies)


def _inspect_wrong(
    catalog: Catalog, listing: Listing, name: str, discrepancies: list[Discrepancy]
) -> Inspection:
    """Find out what is wrong with the alias of ``name``, its event, or what it names."""
    stage, key = catalog.stage, keys.alias(catalog.stage, name)
    if not listing.has_alias(name):
        try:
            last = journal.last_move(catalog.source.store, listing.history(name))
        except SlipwayError as error:
            return Inspection(None, [*discrepancies, _damaged(catalog, error)])
        if last is not None and last.action == RETIRE:
            return Inspection(None, discrepancies, last)
        if last is not None:
            again = undo_command(last.now, stage, name) or f"slipway alias {name} RELEASE"
            fix = f"{again}; or slipway retire {name} --stage {stage}"
            discrepancies.append(Discrepancy(stage, "alias moved without an event", key, fix))
        return Inspection(None, discrepancies)
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
        return Inspection(None, [*discrepancies, _damaged(catalog, error)])
    if event is not None and event.now != alias:
        fix = f"slipway alias {name} {alias.target} --stage {stage}"
        discrepancies.append(Discrepancy(stage, "alias moved without an event", key, fix))
        event = None
    return Inspection(served_release(alias, records.get(alias.target), event), discrepancies)


def _damaged(catalog: Catalog, error: SlipwayError) -> Discrepancy:
    return Discrepancy(catalog.stage, "damaged", str(error.where), f"{error.what}; {error.fix}")
