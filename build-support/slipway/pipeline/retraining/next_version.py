"""The release version that a retrained model needs, without building it.

The folder is compared with the highest release of production, as :mod:`slipway bump` compares an
artifact (:mod:`slipway.release.versioning`). The environment is taken to be that release's: what
changes in it needs a patch at most, and the job `version` of the merge request compares the built
artifact.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import semver

from slipway.artifact.manifest import Manifest
from slipway.artifact.pack import packed_config
from slipway.artifact.pack_container import LOCK
from slipway.model.any_folder import AnyFolder, packed_root, packed_sources, read_any_folder
from slipway.model.container_folder import ContainerFolder
from slipway.model.folder import ModelFolder
from slipway.profile.profile import FILE_NAME as PROFILE
from slipway.release.versioning.bump import ProductionVersions, decide_state, write_version
from slipway.release.versioning.compatibility import Reason
from slipway.release.versioning.propose import ComparedRelease, propose_version
from slipway.store.stage import StageReader
from slipway.triton import config


@dataclass(frozen=True)
class NextVersion:
    """The release version ``before`` and ``after``; equal where nothing has to change.

    ``released`` is production's highest, ``None`` if there is none.
    """

    before: str
    after: str
    released: str | None
    reasons: tuple[Reason, ...] = ()


def raise_version(folder: Path, production: StageReader) -> NextVersion:
    """Write the release version that the model in ``folder`` needs, and return it.

    Raises:
        SlipwayError: the folder or production's record is damaged.
    """
    model = read_any_folder(folder)
    versions = ProductionVersions(production, model.name)
    highest = versions.highest
    if highest is None:
        return NextVersion(model.version, model.version, None)
    before = versions.release(highest)
    now = from_folder(model, before.manifest)
    proposal = propose_version(before, now)
    version = semver.Version.parse(model.version)
    same = proposal.part is None and version in versions.targets
    _, proposed = decide_state(version, versions.targets, same, proposal.part)
    # the same bytes need no version
    after = model.version if same or proposed is None else str(proposed)
    if after != model.version:
        write_version(folder, after)
    return NextVersion(model.version, after, str(highest), proposal.reasons)


def from_folder(model: AnyFolder, released: Manifest) -> ComparedRelease:
    """Return the model in a folder for comparison with the manifest of a release."""
    files, root = packed_sources(model), packed_root(model)
    home = "" if released.environment is None else str(released.environment["path"])
    sources = {name: file.read_bytes() for name, file in files.items()}
    if home and isinstance(model, ModelFolder):
        for name in model.python_models:
            path = f"{name}/{config.FILE_NAME}"
            if path in sources:
                sources[path] = packed_config(sources[path], name, home)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in sources.items()}
    for name in released.sources.keys() - digests.keys():  # what packing adds
        if name.endswith(f"/{PROFILE}") and (model.path / PROFILE).is_file():
            digests[name] = hashlib.sha256((model.path / PROFILE).read_bytes()).hexdigest()
        elif name == LOCK:
            digests[name] = released.sources[name]
    weights = {
        pointer.path.relative_to(root).as_posix(): {"md5": pointer.md5, "size": pointer.size}
        for pointer in model.pointers
    }
    manifest = replace(
        released,
        name=model.name,
        version=model.version,
        serves="" if isinstance(model, ContainerFolder) else model.ensemble,
        sources=digests,
        weights=weights,
    )
    texts = {
        name.rpartition("/")[0]: data.decode()
        for name, data in sources.items()
        if name.endswith(f"/{config.FILE_NAME}")
    }
    return ComparedRelease(manifest, None, lambda: texts)
