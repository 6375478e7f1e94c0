"""Find out whether a release's artifact is there as it was published."""

from __future__ import annotations

from slipway.catalog import keys
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.store.stage import StageReader

GONE = "its artifact is gone"


def reject_damaged(stage: StageReader, release: Record) -> None:
    """Refuse to serve a release whose artifact is gone, or is not the one that was published.

    Raises:
        SlipwayError: says which.
    """
    damage = find_damage(stage, release)
    if damage is not None:
        raise SlipwayError(
            damage,
            where=keys.artifact(stage.name, release.target),
            fix=f"slipway status {release.name} shows what can be served; or publish it again",
        )


def find_damage(stage: StageReader, release: Record) -> str | None:
    """Return why the artifact of ``release`` cannot be served, ``None`` if it can.

    Its size and digest are compared; a store that records no digests is read.
    """
    key = keys.artifact(stage.name, release.target)
    stat = stage.store.stat(key)
    tombstone = keys.tombstone(stage.name, release.name, release.target)
    if stat is None or stage.store.stat(tombstone) is not None:
        return GONE
    if release.size is not None and stat.size != release.size:
        return f"its artifact has {stat.size:,} bytes, {release.size:,} were published"
    digest = stage.store.digest(key)
    if digest != release.sha256:
        return f"its artifact has the SHA-256 {digest}, {release.sha256} was published"
    return None
