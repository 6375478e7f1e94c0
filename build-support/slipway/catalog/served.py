"""What a name serves, as an overview of a thousand models shows it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from slipway.catalog.alias import Alias
from slipway.catalog.journal import JournalEvent
from slipway.catalog.record import Record


@dataclass(frozen=True)
class ReleaseFacts:
    """What an overview shows of a release's record; ``training`` is the run's identity."""

    name: str
    version: str
    commit: str | None
    sha256: str
    size: int | None
    published: str
    training: str | None = None


@dataclass(frozen=True)
class ServedRelease:
    """What a name serves in a stage. ``release`` is the heaviest variant, ``None`` if its record is
    missing. ``since`` (ISO 8601), ``pipeline`` and ``by`` are of the alias's last move."""

    alias: Alias
    release: ReleaseFacts | None
    since: str | None
    pipeline: str | None
    by: str | None
    action: str | None = None

    @property
    def version(self) -> str | None:
        """The release version."""
        return None if self.release is None else self.release.version

    @property
    def commit(self) -> str | None:
        """The commit that it was built from."""
        return None if self.release is None else self.release.commit

    def dump(self) -> dict[str, Any]:
        """Return the release as JSON values."""
        facts = {} if self.release is None else asdict(self.release)
        return {
            "target": self.alias.target,
            "variants": [vars(variant) for variant in self.alias.variants],
            "shadow": self.alias.shadow,
            **{
                key: facts.get(key)
                for key in ("version", "commit", "sha256", "size", "published", "training")
            },
            "since": self.since,
            "pipeline": self.pipeline,
            "by": self.by,
            "action": self.action,
        }


def facts_of(record: Record) -> ReleaseFacts:
    """Return what an overview shows of ``record``."""
    training = record.training.id if record.training else None
    return ReleaseFacts(
        record.name,
        record.version,
        record.commit,
        record.sha256,
        record.size,
        record.published,
        training,
    )


def served_release(
    alias: Alias, record: Record | None, event: JournalEvent | None
) -> ServedRelease:
    """Return what ``alias`` serves, whose heaviest variant has ``record``, and whose last move was
    ``event``; without one, it is served since it was published."""
    facts = None if record is None else facts_of(record)
    if event is None:
        return ServedRelease(alias, facts, facts.published if facts else None, None, None)
    origin = event.origin
    return ServedRelease(alias, facts, event.when, origin.pipeline, origin.by, event.action)
