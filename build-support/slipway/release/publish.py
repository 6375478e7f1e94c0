"""Publish an artifact as a release: its bytes, its evidence, its record, then the alias.

Every step can be interrupted and repeated. What exists already is left unchanged, and the alias
never leads to bytes that do not exist.
"""

from __future__ import annotations

from dataclasses import dataclass

from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.catalog import journal, keys
from slipway.catalog.alias import single_target
from slipway.catalog.alias_move import move_alias
from slipway.catalog.index.move import Move
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.release.deploy_first import accept_any, deploy_first
from slipway.release.forward_only import AliasUnchanged, reject_downgrade
from slipway.release.install import install_release
from slipway.release.metadata import ReleaseMetadata
from slipway.settings.release import StageName
from slipway.store.interface import Progress
from slipway.store.stage import StageStore


@dataclass(frozen=True)
class Release:
    """An artifact under its immutable key, of ``size`` bytes. ``created`` is false if the same
    bytes existed. ``stays`` says why the alias still serves another release, if so."""

    name: str
    version: str
    stage: StageName
    target: str
    sha256: str
    created: bool
    size: int = 0
    stays: str | None = None


def publish(
    artifact: Artifact,
    stage: StageStore,
    *,
    metadata: ReleaseMetadata | None = None,
    progress: Progress | None = None,
) -> Release:
    """Publish ``artifact`` in ``stage`` and move its name's alias to it; production's only forward.

    The stored bytes have to match the artifact's digest, which packing recorded.

    Raises:
        SlipwayError: the bytes changed since they were packed, the name or version has characters
            that an endpoint refuses, or the stage has, or had, other bytes under this release
            version; names the next free one. Or the stage's store ignores the conditions of
            requests.
    """
    stage.store.require_conditional_writes(keys.conditions(stage.name))
    metadata = metadata or ReleaseMetadata()
    new = Record(
        manifest=artifact.manifest,
        target=target_model(artifact.manifest, artifact.sha256, stage.name),
        sha256=artifact.sha256,
        published=journal.now(),
        origin=metadata.origin,
        interface=artifact.interface,
        size=artifact.size,
        metrics=metadata.metrics,
        rules=metadata.rules,
        changes=metadata.changes,
        weights_from=metadata.weights_from,
    )

    def upload(key: str) -> bool:
        return stage.store.create_file(key, artifact.path, artifact.sha256, progress)

    _reject_unservable(new)
    alias, stays = single_target(new.target), None
    is_staging = stage.name == "staging"
    check = reject_downgrade(stage, new.name, new.target, new.version)
    check = deploy_first(new.manifest, new.target, stage.name, accept_any if is_staging else check)
    with Move(stage, new.name) as move:
        created = install_release(stage, new, metadata.evidence, upload, move.begin)
        try:
            move_alias(
                stage,
                new.name,
                alias,
                "publish",
                metadata.origin,
                check=check,
                repair=is_staging,
                move=move,
            )
        except AliasUnchanged as unchanged:
            stays = str(unchanged)
    return Release(
        new.name, new.version, stage.name, new.target, new.sha256, created, artifact.size, stays
    )


def target_model(description: Manifest, sha256: str, stage: StageName) -> str:
    """Return the key below the endpoint's prefix.

    In staging it contains the digest, as a semantic pre-release: an instance that has an object
    continues to serve it, even if the object is replaced (AWS: never overwrite a model).
    """
    suffix = f"-rc.h{sha256[:12]}" if stage == "staging" else ""
    return f"{description.name}_{description.version}{suffix}.tar.gz"


def _reject_unservable(new: Record) -> None:
    problem = keys.target_problem(new.target)
    if problem is None and "/" in new.target:
        problem = "holds a slash"
    if problem is not None:
        raise SlipwayError(
            f"its target model {new.target!r:.200} {problem}",
            where=f"models/{new.name}",
            fix="rename the model's folder, or correct model_version.txt:"
            " letters, digits and . _ + -",
        )
