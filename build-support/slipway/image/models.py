"""The models of an image: built now from their folders, or taken as they were released."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from slipway.artifact.artifact import Artifact
from slipway.artifact.contents import Contents, read_contents
from slipway.artifact.manifest import Manifest
from slipway.catalog import keys
from slipway.catalog.catalog import Catalog
from slipway.catalog.commit import name_commit, read_worktree
from slipway.catalog.keys import Kind
from slipway.catalog.origin import current_origin
from slipway.errors import SlipwayError
from slipway.files import CHUNK, HashingWriter
from slipway.release.compare import select_release
from slipway.release.evidence import evidence
from slipway.release.uncommitted import find_uncommitted
from slipway.settings import Settings
from slipway.settings.release import STAGES
from slipway.store.open import open_stage


@dataclass(frozen=True)
class ImageModel:
    """An artifact that was read whole, the commit that it is of, and the documents about it.

    ``replaced`` are files of which the image has other bytes than the artifact.
    """

    contents: Contents
    commit: str | None
    evidence: Mapping[Kind, bytes] = field(default_factory=dict)
    replaced: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def manifest(self) -> Manifest:
        """Return the artifact's manifest."""
        return self.contents.manifest

    @property
    def name(self) -> str:
        """Return the model's name."""
        return self.contents.manifest.name

    @property
    def title(self) -> str:
        """Return name and version, for people."""
        return f"{self.name} {self.manifest.version}"


def built_model(folder: Path, artifact: Artifact, settings: Settings) -> ImageModel:
    """Return the model of an artifact that was built from ``folder``, with evidence made now.

    Raises:
        SlipwayError: the artifact is damaged, or the signing key cannot sign.
    """
    contents = read_contents(artifact.path)
    worktree = read_worktree(settings.root)
    changed = find_uncommitted(folder, contents.artifact, worktree)
    commit = name_commit(worktree.commit, bool(changed))
    origin = replace(current_origin(settings.root), commit=commit)
    return ImageModel(
        contents, commit, evidence.collect_evidence(contents.artifact, settings, origin, ())
    )


def released_model(name: str, release: str, settings: Settings, folder: Path) -> ImageModel:
    """Return a released model, whose artifact is fetched into ``folder``.

    ``release`` is ``staging``, ``production``, a release version or a part of a target model's key.

    Raises:
        SlipwayError: there is no such release, or its bytes are not those that were published.
    """
    catalogs = {stage: Catalog(open_stage(settings, stage)) for stage in STAGES}
    chosen = select_release(catalogs, name, release)
    record, stage = chosen.record, chosen.source
    path = folder / record.target
    key = keys.artifact(stage.name, record.target)
    with stage.store.open(key) as stream, path.open("wb") as file:
        hashing = HashingWriter(file)
        while chunk := stream.read(CHUNK):
            hashing.write(chunk)
    if hashing.sha256 != record.sha256:
        raise SlipwayError(
            f"its SHA-256 is {hashing.sha256}, {record.sha256} was published",
            where=key,
            fix=f"slipway verify {name} says what else is wrong; publish the model again",
        )
    documents = evidence.load_evidence(stage, name, record.sha256)
    return ImageModel(read_contents(path), record.commit, documents)
