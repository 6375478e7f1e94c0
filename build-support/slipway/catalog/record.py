"""The catalog's record of a release."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import semver

from slipway.artifact.manifest import Manifest
from slipway.catalog import keys
from slipway.catalog.origin import Origin
from slipway.catalog.weights_source import RunReference, WeightsSource, parse_sources
from slipway.errors import SlipwayError
from slipway.model import interface as interfaces
from slipway.model.interface import Interface


@dataclass(frozen=True)
class Record:
    """A release. ``published`` is its time in ISO 8601; ``source`` is the target model in staging
    that it was promoted from. ``metrics`` are the model's own; ``rules`` limit their change, as in
    :mod:`slipway.release.evaluation.evaluation`. ``changes`` has a line for each commit since the
    previous release. ``size`` is in bytes. ``training`` is the run that made its weights;
    ``weights_from`` says of each file of weights, by its path in the artifact, where it is from.
    Old records lack newer fields.
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
    training: RunReference | None = None
    weights_from: Mapping[str, WeightsSource] | None = None

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
                **self._dump_lineage(),
            }
        )

    def _dump_lineage(self) -> dict[str, Any]:
        """Return the fields that older records lack, where they are known: equal releases keep
        the bytes of their records."""
        values: dict[str, Any] = {}
        if self.training is not None:
            values["training"] = asdict(self.training)
        if self.weights_from is not None:
            values["weights_from"] = {
                name: source.dump() for name, source in sorted(self.weights_from.items())
            }
        return values


def parse_record(data: bytes, key: str) -> Record:
    """Return the record that :meth:`Record.dump` wrote.

    Raises:
        SlipwayError: ``data`` is not a record; names ``key``.
    """
    try:
        values = json.loads(data)
        interface = values.get("interface")
        manifest = Manifest(**values["manifest"])
        training, sources = values.get("training"), values.get("weights_from")
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
            training=None if training is None else RunReference(**training),
            weights_from=None if sources is None else parse_sources(sources),
        )
    except (SlipwayError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise keys.damaged_record(key, error) from error
