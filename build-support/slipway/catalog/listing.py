"""List the keys of a stage once, by the name that they belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

import semver

from slipway.catalog import keys
from slipway.catalog.keys import RECORD
from slipway.settings.release import StageName
from slipway.store.interface import Stat
from slipway.store.stage import StageReader

ALIAS = "alias.json"
RELEASES, TOMBSTONES, HISTORY = "releases", "pruned", "history"


class Listing:
    """The keys of ``stage`` among ``stats``, by name, with size and version of each."""

    def __init__(self, stage: StageName, stats: Mapping[str, Stat]) -> None:
        self._catalog: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self._objects: list[str] = []
        self.stage = stage
        self.stats = stats
        for key in stats:
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
        """Return the target models of ``name`` that have a record."""
        return self._targets(name, RELEASES)

    def tombstones(self, name: str) -> set[str]:
        """Return the target models of ``name`` whose artifacts were removed, or are being."""
        return self._targets(name, TOMBSTONES)

    def objects(self, name: str) -> set[str]:
        """Return the target models of ``name`` that have an artifact."""
        return self._owned.get(name, set())

    def history(self, name: str) -> list[str]:
        """Return the keys of the events of ``name``."""
        return self._keys(name, HISTORY)

    def catalog_keys(self, name: str) -> list[str]:
        """Return the keys of ``name`` in the catalog."""
        return [key for part in self._catalog.get(name, {}).values() for key in part]

    def has_alias(self, name: str) -> bool:
        """Return whether ``name`` has an alias."""
        return bool(self._keys(name, ALIAS))

    def strangers(self, names: Sequence[str]) -> list[str]:
        """Return the keys of artifacts that belong to none of ``names``."""
        owned = set[str]().union(*(self.objects(name) for name in names))
        return [
            keys.artifact(self.stage, target) for target in self._objects if target not in owned
        ]

    @cached_property
    def _owned(self) -> dict[str, set[str]]:
        """The target models that have an artifact, by the names that they belong to."""
        owners: dict[str, set[str]] = defaultdict(set)
        for name in self._catalog:
            for target in self.records(name) | self.tombstones(name):
                owners[target].add(name)
        owned: dict[str, set[str]] = defaultdict(set)
        for target in self._objects:
            name = target.rpartition("_")[0]  # no version has an underscore
            if name and version_of(name, target) is not None:
                owned[name].add(target)
            for owner in owners.get(target, ()):
                owned[owner].add(target)
        return dict(owned)

    def _keys(self, name: str, part: str) -> list[str]:
        return self._catalog[name][part] if name in self._catalog else []

    def _targets(self, name: str, part: str) -> set[str]:
        files = (key.rpartition("/")[2] for key in self._keys(name, part))
        return {file.removesuffix(RECORD) for file in files if file.endswith(RECORD)}


def list_stage(stage: StageReader, names: Sequence[str] = ()) -> Listing:
    """List the keys of ``names`` in a stage, or of all names.

    Raises:
        SlipwayError: the store cannot be read.
    """
    prefixes = [f"{stage.name}/"]
    if names:
        prefixes = [f"{keys.catalog(stage.name)}{name}/" for name in names]
        prefixes += [f"{keys.models(stage.name)}{name}_" for name in names]
    listed: dict[str, Stat] = {}
    for prefix in prefixes:
        listed |= stage.store.stats(prefix)
    return Listing(stage.name, listed)


def version_of(name: str, target: str) -> semver.Version | None:
    """Return the release version in a target model of ``name``; ``None`` if it has none."""
    text = target.removeprefix(f"{name}_").removesuffix(".tar.gz")
    return semver.Version.parse(text) if semver.Version.is_valid(text) else None
