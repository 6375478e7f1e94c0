"""An artifact becomes a release: its bytes, what is attested of them, its record, then the alias.

Every step can be cut off and done again: what is there already is left as it is, and nobody is led
by the alias to bytes that are not there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import semver

from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.catalog import alias, journal, keys, record, tombstone
from slipway.catalog.alias_move import serve
from slipway.catalog.keys import Kind, Stage
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.release.evidence import evidence as evidences
from slipway.release.evidence import merge
from slipway.release.forward_only import Stays, forward_only
from slipway.store.interface import Progress, Store


@dataclass(frozen=True)
class Release:
    """An artifact under its immutable key, of ``size`` bytes. ``created`` is false if the same
    bytes were there. ``stays`` says why the name goes on standing for another release, if so."""

    name: str
    version: str
    stage: Stage
    target: str
    sha256: str
    created: bool
    size: int = 0
    stays: str | None = None


@dataclass(frozen=True)
class Told:
    """What is known of an artifact beside its bytes. ``evidence`` holds documents by their kind;
    the rest is as in a :class:`~slipway.catalog.record.Record`."""

    origin: Origin = Origin()
    evidence: Mapping[Kind, bytes] = field(default_factory=dict)
    metrics: dict[str, float] | None = None
    rules: dict[str, dict[str, Any]] | None = None
    changes: tuple[str, ...] = ()


def publish(
    artifact: Artifact,
    store: Store,
    *,
    stage: Stage = "staging",
    told: Told | None = None,
    progress: Progress | None = None,
) -> Release:
    """Publish ``artifact`` and move its name's alias to it; production's only forward.

    The bytes that are stored have to match the artifact's digest, which packing recorded.

    Raises:
        SlipwayError: the bytes changed since they were packed, the name or version has characters
            that an endpoint refuses, or the stage has, or had, other bytes under this release
            version; names the next free one.
    """
    made, digest, told = artifact.manifest, artifact.sha256, told or Told()
    new = Record(
        manifest=made,
        target=target_model(made, digest, stage),
        sha256=digest,
        published=journal.now(),
        origin=told.origin,
        interface=artifact.interface,
        size=artifact.size,
        metrics=told.metrics,
        rules=told.rules,
        changes=told.changes,
    )

    def put(key: str) -> bool:
        return store.create_file(key, artifact.path, digest, progress)

    _refuse_unservable(made, new.target)
    created = install(store, stage, new, told.evidence, put)
    stays = None
    try:
        if stage == "staging":
            serve(store, stage, made.name, alias.to(new.target), "publish", told.origin)
        else:
            may = forward_only(store, made.name, new.target, made.version)
            serve(store, stage, made.name, alias.to(new.target), "publish", told.origin, allow=may)
    except Stays as why:
        stays = str(why)
    return Release(
        made.name, made.version, stage, new.target, digest, created, artifact.size, stays
    )


def install(
    store: Store,
    stage: Stage,
    new: Record,
    evidence: Mapping[Kind, bytes],
    put: Callable[[str], bool],
) -> bool:
    """Bring a release into ``stage``, but for the alias; whether ``put`` created its object.

    ``put`` is called with the artifact's key and creates it unless it is there. Of evidence
    that is there already, :func:`slipway.release.evidence.merge.newer` says what is replaced.

    Raises:
        SlipwayError: there are, or were, other bytes under the key; says whose, and names the next
            free version.
    """
    gone = tombstone.find(store, stage, new.name, new.target)
    if gone is not None and gone.record.sha256 != new.sha256:
        raise _taken(store, stage, new, f"had {_whose(gone.record)}, which were pruned,")
    if gone is not None and gone.finished is None:
        raise _being_pruned(stage, new)
    key = keys.artifact(stage, new.target)
    created = put(key)
    if not created and (there := store.digest(key)) != new.sha256:
        at = keys.record(stage, new.name, new.target)
        known = _written(store, at)
        whose = (
            f"other bytes (sha256 {there})" if known is None else _whose(record.parse(known, at))
        )
        raise _taken(store, stage, new, f"has {whose}")
    attested = evidences.read(store, stage, new.name, new.sha256)
    for kind, document in merge.newer(attested, evidence).items():
        at = keys.evidence(stage, new.name, new.sha256, kind)
        while not store.swap(at, store.read(at), document):
            pass  # another run wrote in between; the last one counts
    _keep(store, keys.record(stage, new.name, new.target), new)
    if gone is not None:
        tombstone.unmark(store, stage, gone.record)
    elif store.stat(keys.pruned(stage, new.name, new.target)) is not None:
        raise _being_pruned(stage, new)  # since this began
    return created


def target_model(made: Manifest, sha256: str, stage: Stage) -> str:
    """The key below the endpoint's prefix.

    In staging it carries the digest, as a semantic pre-release: an instance that has an object
    goes on serving it whatever is put in its place (AWS: never overwrite a model).
    """
    suffix = f"-rc.h{sha256[:12]}" if stage == "staging" else ""
    return f"{made.name}_{made.version}{suffix}.tar.gz"


def next_free(store: Store, stage: Stage, made: Manifest) -> str:
    """The release version of ``made``, or the first patch above it, that ``stage`` never had."""
    version = semver.Version.parse(made.version)
    while any(
        store.stat(key) is not None
        for target in [f"{made.name}_{version}.tar.gz"]
        for key in (keys.artifact(stage, target), keys.pruned(stage, made.name, target))
    ):
        version = version.bump_patch()
    return str(version)


def _keep(store: Store, at: str, new: Record) -> None:
    """Write the record, or into the one that is there what has been measured of it since."""
    while not store.create(at, new.dump()):
        data = store.read(at)
        if data is None:
            continue  # it was there a moment ago
        there = record.parse(data, at)
        measured = replace(there, metrics=new.metrics, rules=new.rules)
        if new.metrics is None or measured == there or store.swap(at, data, measured.dump()):
            return


def _refuse_unservable(made: Manifest, target: str) -> None:
    wrong = keys.wrong_target(target)
    if wrong is None and "/" in target:
        wrong = "holds a slash"
    if wrong is not None:
        raise SlipwayError(
            f"its target model {target!r:.200} {wrong}",
            where=f"models/{made.name}",
            fix="rename the model's folder, or correct model_version.txt: letters, digits and . _ + -",
        )


def _being_pruned(stage: Stage, new: Record) -> SlipwayError:
    return SlipwayError(
        f"{new.target} is being pruned from {stage}",
        fix=f"slipway prune {new.name} --stage {stage} completes it, if it was cut off; then again",
    )


def _written(store: Store, at: str) -> bytes | None:
    """The record of who was faster, which is written just after the bytes: it is waited for, but
    not for long, as its writer may have been cut off."""
    for _ in range(20):
        if (found := store.read(at)) is not None:
            return found
        time.sleep(0.1)
    return None


def _whose(known: Record) -> str:
    """The bytes of another release under the same key, as people know it."""
    told = [
        f"commit {known.commit[:7]}" if known.commit else "",
        f"by {known.origin.by}" if known.origin.by else "",
        known.origin.pipeline or "",
        known.published[:16].replace("T", " ") + " UTC",
    ]
    return f"other bytes (sha256 {known.sha256}; {', '.join(filter(None, told))})"


def _taken(store: Store, stage: Stage, new: Record, what: str) -> SlipwayError:
    free = next_free(store, stage, new.manifest)
    return SlipwayError(
        f"{stage} {what} under {new.target}",
        where=f"models/{new.name}/model_version.txt",
        fix=f"write {free} into it: slipway bump {new.name}",
    )
