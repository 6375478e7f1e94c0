"""Look up the releases of a stage by name."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import semver

from slipway.catalog import keys
from slipway.catalog.journal import READERS
from slipway.catalog.reader import CatalogReader, unknown_name
from slipway.catalog.record import Record, parse_record
from slipway.errors import SlipwayError


class Catalog(CatalogReader):
    """The releases of one stage. Nothing is cached: each call reads the store."""

    def releases(self, name: str) -> list[Record]:
        """Return the releases of ``name``, newest first.

        Raises:
            SlipwayError: there are none; suggests similar names.
        """
        targets = self.targets(name)
        if not targets:
            raise unknown_name(name, [self])
        with ThreadPoolExecutor(READERS) as pool:
            records = list(pool.map(lambda target: self.find_record(name, target), targets))
        return _newest_first(records)

    def load_records(self, name: str, targets: Sequence[str]) -> list[Record]:
        """Return the releases ``targets`` of ``name``, newest first, read one after another.

        Raises:
            SlipwayError: a record is damaged.
        """
        return _newest_first([self.find_record(name, target) for target in targets])

    def find_record(self, name: str, target: str) -> Record | None:
        """Return the release of ``name`` with the target model ``target``, or ``None``.

        Raises:
            SlipwayError: its record is damaged.
        """
        key = keys.record(self.stage, name, target)
        data = self.source.store.read(key)
        return None if data is None else parse_record(data, key)

    def record(self, name: str, target: str) -> Record:
        """Return the release of ``name`` with the target model ``target``.

        Raises:
            SlipwayError: there is none; suggests similar ones.
        """
        record = self.find_record(name, target)
        if record is None:
            raise self.unreleased(name, target)
        return record

    def matches(self, name: str, selector: str) -> list[str]:
        """Return the target models of ``name`` that ``selector`` may mean: the target model of this
        key, else those of this release version, else those with this part of a key."""
        targets = self.targets(name)
        if selector in targets:
            return [selector]
        prefixes = (f"{name}_{selector}-rc.", f"{name}_{selector}.tar")
        of_version = [target for target in targets if target.startswith(prefixes)]
        return of_version or [target for target in targets if selector in target]

    def resolve(self, name: str, selector: str) -> str:
        """Return the one target model of ``name`` that ``selector`` means, as in :meth:`matches`.

        Raises:
            SlipwayError: it means none or several; names them.
        """
        matches = self.matches(name, selector)
        if len(matches) > 1:
            raise SlipwayError(
                f"{selector!r} matches {len(matches)} releases of {name} in {self.stage}",
                fix=f"say which: {', '.join(matches)}",
            )
        if not matches:
            raise self.unreleased(name, selector)
        return matches[0]


def _newest_first(records: Sequence[Record | None]) -> list[Record]:
    # a release that was pruned since it was listed has no record any more
    return sorted((record for record in records if record is not None), key=_age, reverse=True)


def _age(record: Record) -> tuple[str, semver.Version, str]:
    return record.published, semver.Version.parse(record.version), record.target
