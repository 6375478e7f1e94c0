"""The catalog's record of a release."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import semver

from slipway.artifact.manifest import Manifest
from slipway.catalog import keys
from slipway.catalog.origin import Origin
from slipway.errors import SlipwayError
from slipway.model import interface as interfaces
from slipway.model.interface import Interface


@dataclass(frozen=True)
class Record:
    """A release. ``published`` is its time in ISO 8601; ``source`` is the target model in staging
    that it was promoted from. ``metrics`` are the model's own; ``rules`` limit their change, as in
    :mod:`slipway.release.evaluation.evaluation`. ``changes`` has a line for each commit since the
    previous release. ``size`` is in bytes. Old records lack newer fields.
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
        """The model's name."""
        return self.manifest.name

    @property
    def version(self) -> str:
        """The release version."""
        return self.manifest.version

    @property
    def commit(self) -> str | None:
        """The commit that it was published from."""
        return self.origin.commit

    def dump(self) -> bytes:
        """Return the record as JSON, which :func:`parse_record` reads."""
        return keys.dump_json(
            {
                "manifest": self.manifest.values(),
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


def parse_record(data: bytes, key: str) -> Record:
    """Return the record that :meth:`Record.dump` wrote.

    Raises:
        SlipwayError: ``data`` is not a record; names ``key``.
    """
    try:
        values = json.loads(data)
        interface = values.get("interface")
        manifest = Manifest(**values["manifest"])
        semver.Version.parse(manifest.version)
        return Record(
            manifest=manifest,
            target=values["target"],
            sha256=values["sha256"],
            published=values["published"],
            origin=Origin(values["commit"], values.get("pipeline"), values.get("by")),
            interface=None if interface is None else interfaces.parse_interface(interface),
            size=values.get("size"),
            source=values.get("source"),
            metrics=values.get("metrics"),
            rules=values.get("rules"),
            changes=tuple(values.get("changes", ())),
        )
    except (SlipwayError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise keys.damaged_record(key, error) from error
