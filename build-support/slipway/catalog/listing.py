"""All keys of a stage, listed once, by the name that they belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import semver

from slipway.catalog import keys
from slipway.catalog.keys import RECORD, Stage
from slipway.store.interface import Reader

ALIAS = "alias.json"
RELEASES, PRUNED, HISTORY = "releases", "pruned", "history"


class Listing:
    """What there is in ``stage`` under ``found``, its keys."""

    def __init__(self, stage: Stage, found: Iterable[str]) -> None:
        self._catalog: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self._objects: list[str] = []
        self.stage = stage
        for key in found:
            if key.startswith(keys.catalog(stage)):
                name, _, rest = key.removeprefix(keys.catalog(stage)).partition("/")
                if rest:
                    self._catalog[name][rest.partition("/")[0]].append(key)
            elif key.startswith(keys.models(stage)):
                self._objects.append(key.removeprefix(keys.models(stage)))

    @property
    def names(self) -> list[str]:
        """The names that were ever released, sorted."""
        return sorted(self._catalog)

    def records(self, name: str) -> set[str]:
        """The target models of ``name`` that have a record."""
        return self._targets(name, RELEASES)

    def pruned(self, name: str) -> set[str]:
        """The target models of ``name`` whose artifacts were removed, or are being."""
        return self._targets(name, PRUNED)

    def objects(self, name: str) -> set[str]:
        """The target models of ``name`` that have an artifact."""
        known = self.records(name) | self.pruned(name)
        return {
            target
            for target in self._objects
            if target in known or version_of(name, target) is not None
        }

    def history(self, name: str) -> list[str]:
        """The keys of the events of ``name``."""
        return self._of(name, HISTORY)

    def has_alias(self, name: str) -> bool:
        """Whether ``name`` stands for anything."""
        return bool(self._of(name, ALIAS))

    def strangers(self, names: Sequence[str]) -> list[str]:
        """The keys of artifacts that belong to none of ``names``."""
        owned = set[str]().union(*(self.objects(name) for name in names))
        return [
            keys.artifact(self.stage, target) for target in self._objects if target not in owned
        ]

    def _of(self, name: str, part: str) -> list[str]:
        return self._catalog[name][part] if name in self._catalog else []

    def _targets(self, name: str, part: str) -> set[str]:
        found = (key.rpartition("/")[2] for key in self._of(name, part))
        return {key.removesuffix(RECORD) for key in found if key.endswith(RECORD)}


def list_stage(reader: Reader, stage: Stage, names: Sequence[str] = ()) -> Listing:
    """What there is of ``names`` in ``stage``, or of all.

    Raises:
        SlipwayError: the store cannot be read.
    """
    prefixes = [f"{stage}/"]
    if names:
        prefixes = [f"{keys.catalog(stage)}{name}/" for name in names]
        prefixes += [f"{keys.models(stage)}{name}_" for name in names]
    return Listing(stage, dict.fromkeys(key for one in prefixes for key in reader.keys(one)))


def version_of(name: str, target: str) -> semver.Version | None:
    """Return the release version in a target model of ``name``; ``None`` if there is none."""
    text = target.removeprefix(f"{name}_").removesuffix(".tar.gz")
    return semver.Version.parse(text) if semver.Version.is_valid(text) else None
