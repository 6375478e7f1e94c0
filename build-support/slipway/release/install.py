"""Bring a release into a stage: its bytes, its evidence, its record.

Every step can be interrupted and repeated. What exists already is left unchanged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import semver

from slipway.artifact.manifest import Manifest
from slipway.catalog import journal, keys, tombstone
from slipway.catalog.commit import is_clean
from slipway.catalog.keys import Kind
from slipway.catalog.record import Record, parse_record
from slipway.catalog.weights_source import RunReference
from slipway.errors import SlipwayError
from slipway.release.evidence import evidence, merge
from slipway.store.interface import ABANDONED
from slipway.store.stage import StageReader, StageStore
from slipway.units import format_minute

# how long the record of another publisher, who created the artifact, is waited for
RECORD_WAIT_S, RECORD_ATTEMPTS = 0.1, 20
RUNS_AT_MOST = timedelta(hours=1)  # a publication, in general


def install_release(
    stage: StageStore,
    new: Record,
    documents: Mapping[Kind, bytes],
    create_artifact: Callable[[str], bool],
    begin: Callable[[], object] = lambda: None,
) -> bool:
    """Bring a release into ``stage``, except for the alias; return whether its object was created.

    ``create_artifact`` is called with the artifact's key, creates it unless it exists, and returns
    whether it did. ``begin`` is called before a record is written. Which ``documents`` replace
    existing evidence is decided by :func:`slipway.release.evidence.merge.merge_evidence`.

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
    if stage.name != "staging":  # its target models hold the digest: no two contents share one
        _claim(stage, new)
    created = create_artifact(key)
    if not created and (existing_bytes := _describe_other(stage, new)) is not None:
        raise _taken(stage, new, f"has {existing_bytes}")
    existing = evidence.load_evidence(stage, new.name, new.sha256)
    chosen = merge.merge_evidence(existing, documents)
    for kind, document in chosen.items():
        key = keys.evidence(stage.name, new.name, new.sha256, kind)
        while not stage.store.swap(key, stage.store.read(key), document):
            pass  # another run wrote in between; the last one counts
    _write_record(stage, replace(new, training=_trained_by({**existing, **chosen})), begin)
    if pruned is not None:
        tombstone.unmark(stage, pruned.record)
    elif stage.store.stat(keys.tombstone(stage.name, new.name, new.target)) is not None:
        raise _being_pruned(stage, new)  # since this call began
    return created


def is_being_published(stage: StageReader, name: str, target: str) -> bool:
    """Return whether a publisher has claimed ``target`` within the last hour, and no alias has
    served it yet."""
    key = keys.claim(stage.name, name, target)
    data = stage.store.read(key)
    try:
        if data is None or not _is_younger(parse_record(data, key), RUNS_AT_MOST):
            return False
    except SlipwayError:
        return False  # damaged
    events = journal.load_events(stage, name, skip_damaged=True)
    return not any(event.names(target) for event in events)


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
            keys.claim(stage.name, description.name, target),
        )
    ):
        version = version.bump_patch()
    return str(version)


def _claim(stage: StageStore, new: Record) -> None:
    """Claim the target model for the bytes of ``new``, before any of them is sent.

    SageMaker and Slipway tell two contents apart by their key alone. The claim is a small object
    that one request creates. A large artifact needs many requests, and not every server that
    checks the condition of the last one does so in one step with the write (SeaweedFS 4.48).

    Raises:
        SlipwayError: other bytes have claimed it within the last day, and are not there yet.
    """
    key = keys.claim(stage.name, new.name, new.target)
    while not stage.store.create(key, new.dump()):
        data = stage.store.read(key)
        if data is None:
            continue  # it existed a moment ago
        try:
            claimed = parse_record(data, key)
        except SlipwayError:
            claimed = None  # damaged: nobody's
        if claimed is not None and claimed.sha256 == new.sha256:
            return
        if stage.store.stat(keys.artifact(stage.name, new.target)) is not None:
            return  # whose bytes they are is read from them
        if claimed is not None and _is_younger(claimed, ABANDONED):
            raise _taken(
                stage,
                new,
                f"has {_describe(claimed)}, which are being published, or were not completed,",
            )
        if stage.store.swap(key, data, new.dump()):
            return


def _is_younger(claimed: Record, age: timedelta) -> bool:
    return datetime.fromisoformat(claimed.published) > datetime.now(UTC) - age


def _write_record(stage: StageStore, new: Record, begin: Callable[[], object]) -> None:
    """Write the record. To an existing one, add metrics that were measured since, the commit that
    has all of these bytes, if its own has not, and the training, if it names another one."""
    key = keys.record(stage.name, new.name, new.target)
    while True:
        data = stage.store.read(key)
        if data is None:
            begin()
            if stage.store.create(key, new.dump()):
                return
            continue  # another call was faster
        existing = parse_record(data, key)
        updated = existing
        if new.metrics is not None:
            updated = replace(updated, metrics=new.metrics, rules=new.rules)
        if is_clean(new.commit) and not is_clean(existing.commit):
            updated = replace(updated, origin=new.origin)
        if new.training != existing.training or existing.weights_from is None:
            updated = replace(updated, training=new.training, weights_from=new.weights_from)
        if updated == existing:
            return
        begin()
        if stage.store.swap(key, data, updated.dump()):
            return


def _trained_by(documents: Mapping[Kind, bytes]) -> RunReference | None:
    """Return the run that the evidence names; ``None`` if it names none, or is damaged."""
    try:
        return evidence.open_training(documents["training"], "training").reference
    except (KeyError, SlipwayError):
        return None


def _being_pruned(stage: StageReader, new: Record) -> SlipwayError:
    return SlipwayError(
        f"{new.target} is being pruned from {stage.name}",
        fix=f"slipway prune {new.name} --stage {stage.name} completes an interrupted one;"
        " then try again",
    )


def _describe_other(stage: StageReader, new: Record) -> str | None:
    """Describe the bytes under the key of ``new`` and whose they are; ``None`` if they are its."""
    key = keys.artifact(stage.name, new.target)
    stat, digest = stage.store.stat(key), stage.store.digest(key)
    same_size = stat is None or new.size is None or stat.size == new.size
    if digest == new.sha256 and same_size:
        return None
    other = _await_record(stage, keys.record(stage.name, new.name, new.target))
    if other is not None and other.sha256 == digest:
        return _describe(other)
    found = f"other bytes (sha256 {digest}; {0 if stat is None else stat.size:,} bytes)"
    if other is None:
        return found
    return f"{found}, which replaced those that were published (sha256 {other.sha256}),"


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
