"""Whether a model's release version is free for what was built, and which one would be.

A new release goes above everything that production ever had, pruned releases included: what
changed is judged against the highest of them, which production serves but for a rollback.
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
from slipway.model.folder import VERSION_FILE, ModelFolder
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
    """The ``version`` of a model's folder beside ``released``, the highest that production had.

    ``state``: ``new`` if production never had the model; ``unchanged`` if it has these bytes;
    ``free`` if the version can be released; ``taken`` if production has, or had, other bytes under
    it; ``behind`` if it is lower than ``released``; ``small`` if it is higher, but by less than
    ``part``, what the changes call for. ``proposed`` is the version to write, if any.
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
        """Whether a merge request has to wait for another version."""
        return self.state in STOPPED


class ProductionVersions:
    """Every version of a model that production has or had."""

    def __init__(self, stage: StageReader, name: str) -> None:
        self._stage, self._name = stage, name
        prefixes = [
            keys.records(stage.name, name),
            keys.tombstones(stage.name, name),
            keys.artifact(stage.name, f"{name}_"),  # one that was cut off before its record
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
        """The highest version, ``None`` if there is none."""
        return max(self.targets, default=None)

    def record(self, version: semver.Version) -> Record | None:
        """What the catalog keeps of a version, pruned or not."""
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
        """The SHA-256 of a version's artifact."""
        known = self.record(version)
        if known is not None:
            return known.sha256
        return self._stage.store.digest(keys.artifact(self._stage.name, self.targets[version]))

    def side(self, version: semver.Version) -> ComparedRelease:
        """What a version is compared by."""
        known = self.record(version)
        if known is not None:
            return propose.from_record(self._stage, known)
        key = keys.artifact(self._stage.name, self.targets[version])
        with self._stage.store.open(key) as stream:
            read = read_configs(stream, key)
        return ComparedRelease(read.manifest, None, lambda: read.texts)


def judge_version(
    had: ProductionVersions,
    model: ModelFolder,
    artifact: Artifact,
    least: VersionPart | None = None,
) -> VersionVerdict:
    """Judge the version of ``model``, which was built as ``artifact``.

    With ``least``, the version has to be higher than production's by that part at least, whatever
    changed.

    Raises:
        SlipwayError: ``least`` is less than the changes call for, or the artifact is of another
            model or version.
    """
    after = propose.from_artifact(artifact)
    made = after.manifest
    if (made.name, made.version) != (model.name, model.version):
        raise SlipwayError(
            f"an artifact of {made.name} {made.version}, not of {model.name} {model.version}",
            where=str(artifact.path),
            fix=f"slipway build {model.path}",
        )
    highest, version = had.highest, semver.Version.parse(made.version)
    if highest is None:
        return VersionVerdict(made.name, made.version, "new")
    same = version in had.targets and had.digest(version) == artifact.sha256
    if same and least is None:
        return VersionVerdict(made.name, made.version, "unchanged", str(highest))
    found = propose.propose_version(had.side(highest), after)
    part, reasons = found.part, found.reasons
    if part is None and version in had.targets and not same:
        part, reasons = "patch", (Reason("patch", "equal sources, other bytes"),)
    if least is not None:
        part = _at_least(made.name, part, least, reasons)
    state, proposed = decide_state(version, had.targets, same, part)
    shown = None if proposed is None else str(proposed)
    return VersionVerdict(made.name, made.version, state, str(highest), part, shown, reasons)


def decide_state(
    version: semver.Version, taken: Collection[semver.Version], same: bool, part: VersionPart | None
) -> tuple[State, semver.Version | None]:
    """The state of ``version``, and the one to write instead, if any.

    ``taken`` are production's, at least one; ``same`` says that it has these bytes under
    ``version``; ``part`` is what the changes since the highest of them call for.
    """
    highest = max(taken)
    proposed = propose.next_version(highest, part)
    if version in taken:
        return ("small" if same else "taken"), propose.next_version(highest, part or "patch")
    if version < highest:
        return "behind", propose.next_version(highest, part or "patch")
    if version.finalize_version() < proposed:  # 2.0.0-rc.1 says that 2.0.0 is to come
        return "small", proposed
    return "free", None


def version_error(judged: VersionVerdict, folder: Path) -> SlipwayError:
    """What to say at a merge request of a version that :attr:`Judged.stopped`."""
    about = {
        "taken": f"production has {judged.version} already, with other bytes",
        "behind": f"production has {judged.released} already, higher than {judged.version}",
        "small": f"{judged.version} is too small a step from production's {judged.released}",
    }[judged.state]
    lines = [f"{about}; what changed since {judged.released} calls for {judged.part or 'patch'}:"]
    lines += [f"{reason.part}: {reason.what}" for reason in judged.reasons]
    return SlipwayError(
        "\n  ".join(lines),
        where=str(folder / VERSION_FILE),
        fix=f"write {judged.proposed} into it: slipway bump {judged.name}",
    )


def write_version(folder: Path, version: str) -> None:
    """Make ``version`` the release version of the model in ``folder``.

    Raises:
        SlipwayError: it is lower than the one there.
    """
    path = folder / VERSION_FILE
    before = path.read_text(encoding="utf-8").strip()
    if semver.Version.parse(version) < semver.Version.parse(before):
        raise SlipwayError(f"{version} is lower than {before}", where=str(path))
    with atomic_write(path) as aside:
        aside.write_text(f"{version}\n", encoding="utf-8")


def _version(name: str, target: str) -> semver.Version | None:
    """The release version in a target model of production; ``None`` if it is another name's."""
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
