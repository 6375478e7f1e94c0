"""Judge whether a model's release version is free for the built artifact, and propose one.

A new version has to be higher than every version that production ever had, pruned ones included.
Changes are judged against the highest of them, which production serves except after a rollback.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import semver

from slipway.artifact.artifact import Artifact
from slipway.artifact.configs import read_configs
from slipway.catalog import keys, record
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.model.any_folder import AnyFolder
from slipway.model.folder import VERSION_FILE
from slipway.release.versioning import propose
from slipway.release.versioning.compatibility import PARTS, Reason, VersionPart
from slipway.release.versioning.propose import ComparedRelease
from slipway.store.stage import StageReader

ARTIFACT = ".tar.gz"
State = Literal["new", "unchanged", "free", "taken", "behind", "small"]
# the states that stop a merge request
STOPPED: tuple[State, ...] = ("taken", "behind", "small")


@dataclass(frozen=True)
class VersionVerdict:
    """The ``version`` of a model's folder, compared with ``released``, production's highest.

    ``state``: ``new`` if production never had the model; ``unchanged`` if it has the same bytes;
    ``free`` if the version can be released; ``taken`` if production has, or had, another artifact
    of this version; ``behind`` if the version is lower than ``released``; ``small`` if it is
    higher, but by less than ``part``, which the changes require. ``proposed`` is the version to
    write, if any.
    """

    name: str
    version: str
    state: State
    released: str | None = None
    part: VersionPart | None = None
    proposed: str | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def stopped(self) -> bool:
        """Return whether a merge request is stopped until the version is changed."""
        return self.state in STOPPED


class ProductionVersions:
    """All versions of a model that production has or had."""

    def __init__(self, stage: StageReader, name: str) -> None:
        self._stage, self._name = stage, name
        prefixes = [
            keys.records(stage.name, name),
            keys.tombstones(stage.name, name),
            keys.artifact(stage.name, f"{name}_"),  # interrupted before its record was written
        ]
        targets = {
            key.rpartition("/")[2].removesuffix(keys.RECORD)
            for prefix in prefixes
            for key in stage.store.keys(prefix)
        }
        self.targets: Mapping[semver.Version, str] = {
            version: target for target in targets if (version := _version(name, target)) is not None
        }

    @property
    def highest(self) -> semver.Version | None:
        """Return the highest version, ``None`` if there is none."""
        return max(self.targets, default=None)

    def record(self, version: semver.Version) -> Record | None:
        """Return the record of a version, pruned or not; ``None`` if there is none."""
        target = self.targets[version]
        for key in (
            keys.record(self._stage.name, self._name, target),
            keys.tombstone(self._stage.name, self._name, target),
        ):
            data = self._stage.store.read(key)
            if data is not None:
                return record.parse_record(data, key)
        return None

    def digest(self, version: semver.Version) -> str | None:
        """Return the SHA-256 of a version's artifact."""
        stored = self.record(version)
        if stored is not None:
            return stored.sha256
        return self._stage.store.digest(keys.artifact(self._stage.name, self.targets[version]))

    def release(self, version: semver.Version) -> ComparedRelease:
        """Return a version for comparison with another."""
        stored = self.record(version)
        if stored is not None:
            return propose.from_record(self._stage, stored)
        key = keys.artifact(self._stage.name, self.targets[version])
        with self._stage.store.open(key) as stream:
            configs = read_configs(stream, key)
        return ComparedRelease(configs.manifest, None, lambda: configs.texts)


def judge_version(
    production: ProductionVersions,
    model: AnyFolder,
    artifact: Artifact,
    least: VersionPart | None = None,
) -> VersionVerdict:
    """Judge the version of ``model``, which was built as ``artifact``.

    With ``least``, the version has to be higher than production's by at least that part, whatever
    changed.

    Raises:
        SlipwayError: ``least`` is less than the changes require, or the artifact is of another
            model or version.
    """
    after = propose.from_artifact(artifact)
    manifest = after.manifest
    if (manifest.name, manifest.version) != (model.name, model.version):
        release = f"{manifest.name} {manifest.version}"
        raise SlipwayError(
            f"an artifact of {release}, not of {model.name} {model.version}",
            where=str(artifact.path),
            fix=f"slipway build {model.path}",
        )
    highest, version = production.highest, semver.Version.parse(manifest.version)
    if highest is None:
        return VersionVerdict(manifest.name, manifest.version, "new")
    has_same_bytes = version in production.targets and production.digest(version) == artifact.sha256
    if has_same_bytes and least is None:
        return VersionVerdict(manifest.name, manifest.version, "unchanged", str(highest))
    proposal = propose.propose_version(production.release(highest), after)
    part, reasons = proposal.part, proposal.reasons
    if part is None and version in production.targets and not has_same_bytes:
        part, reasons = "patch", (Reason("patch", "equal sources, other bytes"),)
    if least is not None:
        part = _at_least(manifest.name, part, least, reasons)
    state, proposed = decide_state(version, production.targets, has_same_bytes, part)
    proposed_text = None if proposed is None else str(proposed)
    return VersionVerdict(
        manifest.name, manifest.version, state, str(highest), part, proposed_text, reasons
    )


def decide_state(
    version: semver.Version,
    taken: Collection[semver.Version],
    has_same_bytes: bool,
    part: VersionPart | None,
) -> tuple[State, semver.Version | None]:
    """Return the state of ``version``, and the version to write instead, if any.

    ``taken`` are production's versions, at least one. ``has_same_bytes`` means that production has
    the same bytes as ``version``. ``part`` is what the changes since the highest of them require.
    """
    highest = max(taken)
    proposed = propose.next_version(highest, part)
    if version in taken:
        return ("small" if has_same_bytes else "taken"), propose.next_version(
            highest, part or "patch"
        )
    if version < highest:
        return "behind", propose.next_version(highest, part or "patch")
    if version.finalize_version() < proposed:  # 2.0.0-rc.1 announces 2.0.0
        return "small", proposed
    return "free", None


def version_error(verdict: VersionVerdict, folder: Path) -> SlipwayError:
    """Return the error for a verdict that is :attr:`VersionVerdict.stopped`."""
    about = {
        "taken": f"production has {verdict.version} already, with other bytes",
        "behind": f"production has {verdict.released} already, higher than {verdict.version}",
        "small": f"{verdict.version} is too small a step from production's {verdict.released}",
    }[verdict.state]
    lines = [f"{about}; what changed since {verdict.released} calls for {verdict.part or 'patch'}:"]
    lines += [f"{reason.part}: {reason.what}" for reason in verdict.reasons]
    return SlipwayError(
        "\n  ".join(lines),
        where=str(folder / VERSION_FILE),
        fix=f"write {verdict.proposed} into it: slipway bump {verdict.name}",
    )


def write_version(folder: Path, version: str) -> None:
    """Write ``version`` as the release version of the model in ``folder``.

    Raises:
        SlipwayError: it is lower than the current one.
    """
    path = folder / VERSION_FILE
    before = path.read_text(encoding="utf-8").strip()
    if semver.Version.parse(version) < semver.Version.parse(before):
        raise SlipwayError(f"{version} is lower than {before}", where=str(path))
    with atomic_write(path) as temporary:
        temporary.write_text(f"{version}\n", encoding="utf-8")


def _version(name: str, target: str) -> semver.Version | None:
    """Return the release version in a target model of production; ``None`` if it is another
    model's."""
    text = target.removeprefix(f"{name}_").removesuffix(ARTIFACT)
    if target != f"{name}_{text}{ARTIFACT}" or not semver.Version.is_valid(text):
        return None
    return semver.Version.parse(text)


def _at_least(
    name: str, part: VersionPart | None, least: VersionPart, reasons: tuple[Reason, ...]
) -> VersionPart:
    if part is not None and PARTS.index(least) < PARTS.index(part):
        raise SlipwayError(
            f"{name}: {least} is less than {part}, which is called for: {reasons[0].what}",
            fix=f"slipway bump {name} --part {part}, or without --part",
        )
    return least
