"""An artifact becomes a release: bytes first, then its record, then the alias.

Every step can be cut off and done again: what is there already is left as it is, and nobody is led
by the alias to bytes that are not there.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import semver

from slipway.artifact import manifest, served
from slipway.artifact.manifest import Manifest
from slipway.errors import SlipwayError
from slipway.files import sha256_of
from slipway.release import alias, keys
from slipway.release.keys import Stage
from slipway.release.store import Store


@dataclass(frozen=True)
class Release:
    """An artifact under its immutable key. ``created`` is false if the same bytes were there."""

    name: str
    version: str
    stage: Stage
    target: str
    sha256: str
    created: bool


def publish(
    artifact: Path,
    store: Store,
    *,
    stage: Stage = "staging",
    sha256: str | None = None,
    commit: str | None = None,
) -> Release:
    """Publish ``artifact`` and move its name's alias to it.

    ``sha256`` is the digest that packing recorded; the bytes that are stored have to match it.

    Raises:
        SlipwayError: the bytes changed since they were packed, or production has other bytes under
            this release version; names the next free one.
    """
    made = manifest.read(artifact)
    digest = sha256 or sha256_of(artifact)
    target = target_model(made, digest, stage)
    interface = served.interface(artifact)
    key = keys.artifact(stage, target)
    created = store.create_file(key, artifact, digest)
    if not created and (there := store.digest(key)) != digest:
        raise SlipwayError(
            f"{stage} has other bytes under {target} (sha256 {there})",
            where=str(artifact),
            fix=f"write {_next_free(made, store, stage)} into models/{made.name}/model_version.txt",
        )
    record = {
        "manifest": asdict(made),
        "interface": interface.dump(),
        "sha256": digest,
        "target": target,
        "commit": commit,
        "published": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    store.create(keys.record(stage, made.name, target), keys.dump(record))
    alias.move(store, stage, made.name, alias.to(target))
    return Release(made.name, made.version, stage, target, digest, created)


def target_model(made: Manifest, sha256: str, stage: Stage) -> str:
    """The key below the endpoint's prefix.

    In staging it carries the digest, as a semantic pre-release: an instance that has an object
    goes on serving it whatever is put in its place (AWS: never overwrite a model).
    """
    suffix = f"-rc.h{sha256[:12]}" if stage == "staging" else ""
    return f"{made.name}_{made.version}{suffix}.tar.gz"


def _next_free(made: Manifest, store: Store, stage: Stage) -> str:
    taken = set(store.keys(keys.artifact(stage, f"{made.name}_")))
    version = semver.Version.parse(made.version)
    while keys.artifact(stage, f"{made.name}_{version}.tar.gz") in taken:
        version = version.bump_patch()
    return str(version)
