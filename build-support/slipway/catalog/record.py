"""What the catalog keeps of a release."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import semver

from slipway.artifact.manifest import Manifest
from slipway.catalog import keys
from slipway.catalog.origin import Origin
from slipway.model import interface as interfaces
from slipway.model.interface import Interface


@dataclass(frozen=True)
class Record:
    """A release: ``published`` is its time, in ISO 8601. ``source`` is staging's target model that
    it was promoted from. ``metrics`` are the model's own, ``rules`` how they may change, as
    :mod:`slipway.release.evaluation.evaluation` says; ``changes`` are a line for each commit since the
    release before. ``size`` is in bytes. Records from before there was a field lack it.
    """

    manifest: Manifest
    target: str
    sha256: str
    published: str
    origin: Origin
    interface: Interface | None = None
    size: int | None = None
    source: str | None = None
    metrics: dict[str, float] | None = None
    rules: dict[str, dict[str, Any]] | None = None
    changes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The model's."""
        return self.manifest.name

    @property
    def version(self) -> str:
        """The release version."""
        return self.manifest.version

    @property
    def commit(self) -> str | None:
        """That it was published from."""
        return self.origin.commit

    def dump(self) -> bytes:
        """As JSON, which :func:`parse` reads."""
        return keys.dump(
            {
                "manifest": asdict(self.manifest),
                "interface": None if self.interface is None else self.interface.dump(),
                "sha256": self.sha256,
                "size": self.size,
                "target": self.target,
                "published": self.published,
                **asdict(self.origin),
                "source": self.source,
                "metrics": self.metrics,
                "rules": self.rules,
                "changes": list(self.changes),
            }
        )


def parse(data: bytes, key: str) -> Record:
    """What :meth:`Record.dump` gave.

    Raises:
        SlipwayError: it is none; ``key`` is named.
    """
    try:
        said = json.loads(data)
        interface = said.get("interface")
        made = Manifest(**said["manifest"])
        semver.Version.parse(made.version)
        return Record(
            manifest=made,
            target=said["target"],
            sha256=said["sha256"],
            published=said["published"],
            origin=Origin(said["commit"], said.get("pipeline"), said.get("by")),
            interface=None if interface is None else interfaces.parse(interface),
            size=said.get("size"),
            source=said.get("source"),
            metrics=said.get("metrics"),
            rules=said.get("rules"),
            changes=tuple(said.get("changes", ())),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise keys.damaged_record(key, error) from error
