"""Read what a client needs of a catalog: a name's alias, a release's interface."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence

from slipway.catalog import keys
from slipway.catalog.alias import Alias, damaged_fix, parse_alias
from slipway.errors import SlipwayError
from slipway.model import interface as interfaces
from slipway.model.capture_rules import CaptureRules, parse_capture_rules
from slipway.model.interface import Interface
from slipway.settings.release import StageName
from slipway.store.stage import StageReader


class CatalogReader:
    """The aliases and interfaces of one stage. Nothing is cached: each call reads the store."""

    def __init__(self, source: StageReader) -> None:
        self.source = source

    @property
    def stage(self) -> StageName:
        """The stage's name."""
        return self.source.name

    def names(self) -> list[str]:
        """Return the names that were ever released, sorted."""
        return self.source.store.level(keys.catalog(self.stage)).folders

    def targets(self, name: str) -> list[str]:
        """Return the target models of ``name``'s releases, sorted as text; empty without any."""
        return self._targets(keys.records(self.stage, name))

    def pruned_targets(self, name: str) -> list[str]:
        """Return the target models of ``name`` whose artifacts were removed, sorted as text."""
        return self._targets(keys.tombstones(self.stage, name))

    def alias(self, name: str) -> Alias:
        """Return the alias of ``name``.

        Raises:
            SlipwayError: there is none; suggests similar names.
        """
        alias = self.find_alias(name)
        if alias is not None:
            return alias
        targets = self.targets(name)
        if not targets:
            raise unknown_name(name, [self])
        retired = self.retirement(name)
        if retired is not None:
            raise SlipwayError(
                f"{name} was retired from {self.stage}",
                where=retired,
                fix=f"slipway history {name} shows by whom and why;"
                f" slipway rollback {name} --stage {self.stage} serves it again",
            )
        raise SlipwayError(
            f"{name} has releases in {self.stage}, but no alias",
            where=keys.alias(self.stage, name),
            fix=f"slipway alias {name} {targets[-1]} --stage {self.stage}",
        )

    def retirement(self, name: str) -> str | None:
        """Return the key of the event by which ``name``, which has no alias, was retired; ``None``
        if its last event is another one."""
        stored = self.source.store.keys(keys.history(self.stage, name))
        # the last part of a key is <time>-<action>-<digits>.json
        moves = [key for key in stored if "-prune-" not in key.rpartition("/")[2]]
        return moves[-1] if moves and "-retire-" in moves[-1].rpartition("/")[2] else None

    def find_alias(self, name: str) -> Alias | None:
        """Return the alias of ``name``, or ``None``.

        Raises:
            DamagedAlias: it is damaged.
        """
        key = keys.alias(self.stage, name)
        data = self.source.store.read(key)
        fix = damaged_fix(self.stage, name)
        return None if data is None else parse_alias(data, where=key, fix=fix)

    def interface(self, name: str, target: str) -> Interface:
        """Return the inputs and outputs of the release ``target``: from its record, or from its
        artifact, of which only the beginning is read.

        Raises:
            SlipwayError: there is no such release, or neither holds an interface.
        """
        key = keys.record(self.stage, name, target)
        data = self.source.store.read(key)
        if data is None:
            raise self.unreleased(name, target)
        try:
            value = json.loads(data).get("interface")
        except (ValueError, AttributeError) as error:
            raise keys.damaged_record(key, error) from error
        return (
            self._packed_interface(target) if value is None else interfaces.parse_interface(value)
        )

    def capture_rules(self, name: str, target: str) -> CaptureRules | None:
        """Return how the release ``target`` may be captured, by its record; ``None`` if it has no
        record. A release without ``capture.toml`` may be captured whole.

        Raises:
            SlipwayError: the record is damaged.
        """
        key = keys.record(self.stage, name, target)
        data = self.source.store.read(key)
        if data is None:
            return None
        try:
            values = json.loads(data)["manifest"].get("capture")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise keys.damaged_record(key, error) from error
        return CaptureRules() if values is None else parse_capture_rules(values, where=key)

    def unreleased(self, name: str, target: str) -> SlipwayError:
        """Return the error for a target model that is not among the releases of ``name``."""
        targets = self.targets(name)
        if not targets:
            return unknown_name(name, [self])
        pruned = [other for other in self.pruned_targets(name) if target in other]
        if pruned:
            return SlipwayError(
                f"{pruned[-1]} was pruned from {self.stage}",
                where=keys.tombstone(self.stage, name, pruned[-1]),
                fix=f"publish the same bytes again, or take one of {', '.join(targets[-5:])}",
            )
        return SlipwayError(
            f"{target} is not a release of {name} in {self.stage}",
            fix=_did_you_mean(target, targets, f"slipway describe {name}"),
        )

    def _packed_interface(self, target: str) -> Interface:
        """Read the interface from the artifact: records did not always hold it."""
        key = keys.artifact(self.stage, target)
        try:
            from slipway.artifact.configs import read_configs
        except ImportError as error:  # slipway-client alone is installed
            raise SlipwayError(
                "the record of this release holds no interface",
                where=key,
                fix="install slipway, which reads it from the artifact; or publish the model again",
            ) from error
        with self.source.store.open(key) as stream:
            return read_configs(stream, key).interface

    def _targets(self, prefix: str) -> list[str]:
        paths = (key.removeprefix(prefix) for key in self.source.store.keys(prefix))
        return [path.removesuffix(keys.RECORD) for path in paths if path.endswith(keys.RECORD)]


def unknown_name(name: str, catalogs: Sequence[CatalogReader]) -> SlipwayError:
    """Return the error for a ``name`` without a release in any of ``catalogs``; suggests similar
    names."""
    names = {known for catalog in catalogs for known in catalog.names()}
    stages = " or ".join(catalog.stage for catalog in catalogs)
    return SlipwayError(
        f"no release of {name!r} in {stages}",
        fix=_did_you_mean(
            name, names, f"slipway publish models/{name} --stage {catalogs[0].stage}"
        ),
    )


def _did_you_mean(text: str, known: Iterable[str], otherwise: str) -> str:
    similar = difflib.get_close_matches(text, known, cutoff=0.5)
    return f"did you mean {' or '.join(similar)}?" if similar else otherwise
