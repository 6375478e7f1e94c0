"""List all keys of a stage once, by the name that they belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import semver

from slipway.catalog import keys
from slipway.catalog.keys import RECORD
from slipway.settings.release import StageName
from slipway.store.stage import StageReader

ALIAS = "alias.json"
RELEASES, TOMBSTONES, HISTORY = "releases", "pruned", "history"


class Listing:
    """The keys of ``stage`` among ``stage_keys``, by name."""

    def __init__(self, stage: StageName, stage_keys: Iterable[str]) -> None:
        self._catalog: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self._objects: list[str] = []
        self.stage = stage
        for key in stage_keys:
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
        known = self.records(name) | self.tombstones(name)
        return {
            target
            for target in self._objects
            if target in known or version_of(name, target) is not None
        }

    def history(self, name: str) -> list[str]:
        """Return the keys of the events of ``name``."""
        return self._keys(name, HISTORY)

    def has_alias(self, name: str) -> bool:
        """Return whether ``name`` has an alias."""
        return bool(self._keys(name, ALIAS))

    def strangers(self, names: Sequence[str]) -> list[str]:
        """Return the keys of artifacts that belong to none of ``names``."""
        owned = set[str]().union(*(self.objects(name) for name in names))
        return [
            keys.artifact(self.stage, target) for target in self._objects if target not in owned
        ]

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
    listed = (key for prefix in prefixes for key in stage.store.keys(prefix))
    return Listing(stage.name, dict.fromkeys(listed))


def version_of(name: str, target: str) -> semver.Version | None:
    """Return the release version in a target model of ``name``; ``None`` if it has none."""
    text = target.removeprefix(f"{name}_").removesuffix(".tar.gz")
    return semver.Version.parse(text) if semver.Version.is_valid(text) else None
