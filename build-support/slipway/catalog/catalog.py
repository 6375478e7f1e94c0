"""The releases of a stage by name: their records, interfaces and aliases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import semver

from slipway.catalog import keys
from slipway.catalog import record as records
from slipway.catalog.journal import READERS
from slipway.catalog.reader import CatalogReader, unknown
from slipway.catalog.record import Record
from slipway.errors import SlipwayError


class Catalog(CatalogReader):
    """The releases of ``stage`` in the store ``reader``. Nothing is cached: each call reads."""

    def releases(self, name: str) -> list[Record]:
        """The releases of ``name``, newest first.

        Raises:
            SlipwayError: there are none; names those that are like it.
        """
        targets = self.targets(name)
        if not targets:
            raise unknown(name, [self])
        with ThreadPoolExecutor(READERS) as pool:
            found = list(pool.map(lambda target: self.find(name, target), targets))
        # one that was pruned since it was listed is none any more
        return sorted((record for record in found if record is not None), key=_age, reverse=True)

    def find(self, name: str, target: str) -> Record | None:
        """The release of ``name`` that is the target model ``target``, or ``None``.

        Raises:
            SlipwayError: its record is damaged.
        """
        key = keys.record(self.stage, name, target)
        data = self.reader.read(key)
        return None if data is None else records.parse(data, key)

    def record(self, name: str, target: str) -> Record:
        """The release of ``name`` that is the target model ``target``.

        Raises:
            SlipwayError: there is none; names those that are like it.
        """
        found = self.find(name, target)
        if found is None:
            raise self.unreleased(name, target)
        return found

    def resolve(self, name: str, word: str) -> str:
        """The one target model of ``name`` that ``word`` means: a target model, the release
        version of one, or a part of one's key.

        Raises:
            SlipwayError: none or several are meant; names them.
        """
        known = self.targets(name)
        if word in known:
            return word
        of_version = [
            t for t in known if t.startswith((f"{name}_{word}-rc.", f"{name}_{word}.tar"))
        ]
        found = of_version or [target for target in known if word in target]
        if len(found) > 1:
            raise SlipwayError(
                f"{word!r} may be any of {len(found)} releases of {name} in {self.stage}",
                fix=f"say which: {', '.join(found)}",
            )
        if not found:
            raise self.unreleased(name, word)
        return found[0]


def _age(record: Record) -> tuple[str, semver.Version, str]:
    return record.published, semver.Version.parse(record.version), record.target
