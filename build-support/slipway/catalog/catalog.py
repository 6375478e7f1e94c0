"""The releases of a stage by name: their records, interfaces and aliases."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import semver

from slipway.artifact.configs import read_configs
from slipway.catalog import alias as aliases
from slipway.catalog import keys
from slipway.catalog import record as records
from slipway.catalog.alias import Alias
from slipway.catalog.journal import READERS
from slipway.catalog.keys import Stage
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.model.interface import Interface
from slipway.store.interface import Reader


class Catalog:
    """What ``reader`` holds of ``stage``. Nothing is remembered: each call reads."""

    def __init__(self, reader: Reader, stage: Stage) -> None:
        self.reader = reader
        self.stage = stage

    def names(self) -> list[str]:
        """The names that were ever released, sorted."""
        prefix = keys.catalog(self.stage)
        found = (key.removeprefix(prefix) for key in self.reader.keys(prefix))
        return sorted({name for name, slash, _ in (key.partition("/") for key in found) if slash})

    def targets(self, name: str) -> list[str]:
        """The target models of ``name``'s releases, sorted as text; empty if there are none."""
        prefix = keys.records(self.stage, name)
        found = (key.removeprefix(prefix) for key in self.reader.keys(prefix))
        return [key.removesuffix(keys.RECORD) for key in found if key.endswith(keys.RECORD)]

    def pruned(self, name: str) -> list[str]:
        """The target models of ``name`` whose artifacts were removed, sorted as text."""
        prefix = keys.pruned(self.stage, name, "").removesuffix(keys.RECORD)
        found = (key.removeprefix(prefix) for key in self.reader.keys(prefix))
        return [key.removesuffix(keys.RECORD) for key in found]

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
            raise self._unreleased(name, target)
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
            raise self._unreleased(name, word)
        return found[0]

    def alias(self, name: str) -> Alias:
        """What ``name`` stands for.

        Raises:
            SlipwayError: it stands for nothing; names those that are like it.
        """
        found = self.find_alias(name)
        if found is not None:
            return found
        known = self.targets(name)
        if not known:
            raise unknown(name, [self])
        raise SlipwayError(
            f"{name} has releases in {self.stage}, but no alias",
            where=keys.alias(self.stage, name),
            fix=f"slipway alias {name} {known[-1]} --to {self.stage}",
        )

    def find_alias(self, name: str) -> Alias | None:
        """What ``name`` stands for, or ``None``.

        Raises:
            SlipwayError: its alias is damaged.
        """
        key = keys.alias(self.stage, name)
        data = self.reader.read(key)
        return None if data is None else aliases.parse(data, where=key)

    def interface(self, name: str, target: str) -> Interface:
        """What the release ``target`` takes and gives: from its record, or its artifact, of which
        little is read.

        Raises:
            SlipwayError: there is no such release, or neither says it.
        """
        found = self.record(name, target).interface
        if found is not None:
            return found
        key = keys.artifact(self.stage, target)
        with self.reader.open(key) as stream:
            return read_configs(stream, key).interface

    def _unreleased(self, name: str, target: str) -> SlipwayError:
        known = self.targets(name)
        if not known:
            return unknown(name, [self])
        gone = [one for one in self.pruned(name) if target in one]
        if gone:
            return SlipwayError(
                f"{gone[-1]} was pruned from {self.stage}",
                where=keys.pruned(self.stage, name, gone[-1]),
                fix=f"publish the same bytes again, or take one of {', '.join(known[-5:])}",
            )
        return SlipwayError(
            f"{target} is no release of {name} in {self.stage}",
            fix=_near(target, known, f"slipway describe {name}"),
        )


def unknown(name: str, catalogs: Sequence[Catalog]) -> SlipwayError:
    """What to say when none of ``catalogs`` has a release of ``name``: which names are like it."""
    names = {known for catalog in catalogs for known in catalog.names()}
    stages = " or ".join(catalog.stage for catalog in catalogs)
    return SlipwayError(
        f"no release of {name!r} in {stages}",
        fix=_near(name, names, f"slipway publish models/{name} --to {catalogs[0].stage}"),
    )


def _near(word: str, known: Iterable[str], otherwise: str) -> str:
    near = difflib.get_close_matches(word, known, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else otherwise


def _age(record: Record) -> tuple[str, semver.Version, str]:
    return record.published, semver.Version.parse(record.version), record.target
