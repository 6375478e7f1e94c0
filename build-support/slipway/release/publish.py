"""Publish an artifact as a release: its bytes, its evidence, its record, then the alias.

Every step can be interrupted and repeated. What exists already is left unchanged, and the alias
never leads to bytes that do not exist.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import semver

from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.catalog import journal, keys, tombstone
from slipway.catalog.alias import single_target
from slipway.catalog.alias_move import move_alias
from slipway.catalog.keys import Kind
from slipway.catalog.record import Record, parse_record
from slipway.errors import SlipwayError
from slipway.release.evidence import evidence, merge
from slipway.release.forward_only import AliasUnchanged, reject_downgrade
from slipway.release.metadata import ReleaseMetadata
from slipway.settings.release import StageName
from slipway.store.interface import Progress
from slipway.store.stage import StageReader, StageStore
from slipway.units import format_minute

# how long the record of another publisher, who created the artifact, is waited for
RECORD_WAIT_S, RECORD_ATTEMPTS = 0.1, 20


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
            version; names the next free one.
    """
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
    )

    def upload(key: str) -> bool:
        return stage.store.create_file(key, artifact.path, artifact.sha256, progress)

    _reject_unservable(new)
    created = install_release(stage, new, metadata.evidence, upload)
    alias, stays = single_target(new.target), None
    try:
        if stage.name == "staging":
            move_alias(stage, new.name, alias, "publish", metadata.origin)
        else:
            check = reject_downgrade(stage, new.name, new.target, new.version)
            move_alias(stage, new.name, alias, "publish", metadata.origin, check=check)
    except AliasUnchanged as unchanged:
        stays = str(unchanged)
    return Release(
        new.name, new.version, stage.name, new.target, new.sha256, created, artifact.size, stays
    )


def install_release(
    stage: StageStore,
    new: Record,
    documents: Mapping[Kind, bytes],
    create_artifact: Callable[[str], bool],
) -> bool:
    """Bring a release into ``stage``, except for the alias; return whether its object was created.

    ``create_artifact`` is called with the artifact's key, creates it unless it exists, and returns
    whether it did. Which ``documents`` replace existing evidence is decided by
    :func:`slipway.release.evidence.merge.merge_evidence`.

    Raises:
        SlipwayError: there are, or were, other bytes under the key; says whose, and names the next
            free version.
    """
    pruned = tombstone.load_tombstone(stage, new.name, new.target)
    if pruned is not None and pruned.record.sha256 != new.sha256:
        raise _taken(stage, new, f"had {_describe(pruned.record)}, which were pruned,")
    if pruned is not None and pruned.finished is None:
        raise _being_pruned(stage, new)
    key = keys.artifact(stage.name, new.target)
    created = create_artifact(key)
    if not created and (digest := stage.store.digest(key)) != new.sha256:
        other = _await_record(stage, keys.record(stage.name, new.name, new.target))
        whose = f"other bytes (sha256 {digest})" if other is None else _describe(other)
        raise _taken(stage, new, f"has {whose}")
    existing = evidence.load_evidence(stage, new.name, new.sha256)
    for kind, document in merge.merge_evidence(existing, documents).items():
        key = keys.evidence(stage.name, new.name, new.sha256, kind)
        while not stage.store.swap(key, stage.store.read(key), document):
            pass  # another run wrote in between; the last one counts
    _write_record(stage, new)
    if pruned is not None:
        tombstone.unmark(stage, pruned.record)
    elif stage.store.stat(keys.tombstone(stage.name, new.name, new.target)) is not None:
        raise _being_pruned(stage, new)  # since this call began
    return created


def target_model(description: Manifest, sha256: str, stage: StageName) -> str:
    """Return the key below the endpoint's prefix.

    In staging it contains the digest, as a semantic pre-release: an instance that has an object
    continues to serve it, even if the object is replaced (AWS: never overwrite a model).
    """
    suffix = f"-rc.h{sha256[:12]}" if stage == "staging" else ""
    return f"{description.name}_{description.version}{suffix}.tar.gz"


def next_free_version(stage: StageReader, description: Manifest) -> str:
    """Return the manifest's release version, or the first patch above it, that ``stage`` never
    had."""
    version = semver.Version.parse(description.version)
    while any(
        stage.store.stat(key) is not None
        for target in [f"{description.name}_{version}.tar.gz"]
        for key in (
            keys.artifact(stage.name, target),
            keys.tombstone(stage.name, description.name, target),
        )
    ):
        version = version.bump_patch()
    return str(version)


def _write_record(stage: StageStore, new: Record) -> None:
    """Write the record, or add metrics that were measured since to the existing one."""
    key = keys.record(stage.name, new.name, new.target)
    while not stage.store.create(key, new.dump()):
        data = stage.store.read(key)
        if data is None:
            continue  # it existed a moment ago
        existing = parse_record(data, key)
        updated = replace(existing, metrics=new.metrics, rules=new.rules)
        if new.metrics is None or updated == existing:
            return
        if stage.store.swap(key, data, updated.dump()):
            return


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


def _being_pruned(stage: StageReader, new: Record) -> SlipwayError:
    return SlipwayError(
        f"{new.target} is being pruned from {stage.name}",
        fix=f"slipway prune {new.name} --stage {stage.name} completes an interrupted one;"
        " then try again",
    )


def _await_record(stage: StageReader, key: str) -> Record | None:
    """Return the record of a faster publisher, which is written just after the bytes.

    It is not awaited for long, as its writer may have been interrupted.
    """
    for _ in range(RECORD_ATTEMPTS):
        if (data := stage.store.read(key)) is not None:
            return parse_record(data, key)
        time.sleep(RECORD_WAIT_S)
    return None


def _describe(record: Record) -> str:
    """Describe the bytes of another release under the same key, for people."""
    details = [
        f"commit {record.commit[:7]}" if record.commit else "",
        f"by {record.origin.by}" if record.origin.by else "",
        record.origin.pipeline or "",
        format_minute(record.published) + " UTC",
    ]
    return f"other bytes (sha256 {record.sha256}; {', '.join(filter(None, details))})"


def _taken(stage: StageReader, new: Record, what: str) -> SlipwayError:
    free = next_free_version(stage, new.manifest)
    return SlipwayError(
        f"{stage.name} {what} under {new.target}",
        where=f"models/{new.name}/model_version.txt",
        fix=f"write {free} into it: slipway bump {new.name}",
    )
