"""Where the weights of a release are from: a training run, a prebuilt package, or a commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

SourceKind = Literal["training", "prebuilt", "commit", "unknown"]


@dataclass(frozen=True)
class RunReference:
    """A training run: its ``id``, the SHA-256 of its ``run.json``, and the place where it ran."""

    id: str
    sha256: str
    place: str


@dataclass(frozen=True)
class WeightsSource:
    """Where one file of weights is from.

    ``path`` is an output of the training run (``training``), or the DVC pointer in the repository.
    ``original`` is set where that output was converted to the weights. ``commit``, ``when`` (ISO
    8601), ``by`` and ``subject`` are of the commit that last changed the pointer. ``prebuilt`` is
    the kind of ``slipway new --prebuilt``, ``packages`` held them, by version, and
    ``licences`` are the files of the artifact with their licences.
    """

    kind: SourceKind
    path: str | None = None
    original: str | None = None
    commit: str | None = None
    when: str | None = None
    by: str | None = None
    subject: str | None = None
    prebuilt: str | None = None
    packages: Mapping[str, str] = field(default_factory=dict)
    licences: tuple[str, ...] = ()

    def dump(self) -> dict[str, Any]:
        """Return the source as JSON values, without what is not known."""
        values = asdict(self) | {"licences": list(self.licences)}
        return {key: value for key, value in values.items() if value}


def parse_sources(values: Mapping[str, Mapping[str, Any]]) -> dict[str, WeightsSource]:
    """Return the sources that :meth:`WeightsSource.dump` wrote, by path.

    Raises:
        ValueError: a value is not a source.
    """
    sources: dict[str, WeightsSource] = {}
    for name, source in values.items():
        if source["kind"] not in get_args(SourceKind):
            raise ValueError(f"weights from {source['kind']!r:.40}")
        licences = tuple(source.get("licences", ()))
        sources[name] = WeightsSource(**{**source, "licences": licences})
    return sources
