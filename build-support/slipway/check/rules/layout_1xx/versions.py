"""SW12x: model versions, the directories named by a number.

What counts is what the artifact will hold: files, not empty directories, and the weights behind
DVC's pointers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from slipway.check.finding import Found, Mend, Move, Place, Remove
from slipway.check.model_files import chosen_versions
from slipway.check.rule import rule
from slipway.check.subject import Config, Subject
from slipway.model.folder import LEFT_OUT_NAMES

NUMBER = re.compile(r"0|[1-9][0-9]*")
# how std::stoll reads a directory's name: a number, and anything behind it
READ_AS = re.compile(r"[+-]?[0-9]+")
MEANT = re.compile(r"0+(?P<number>[0-9]+)|[vV](?:ersion)?[-_. ]?(?P<named>[0-9]+)")
NOT_VERSIONS = {"configs", "warmup", "initial_state"}
LARGEST = 2**63 - 1
POINTER = ".dvc"
MODEL_FILES = {
    "model.onnx",
    "model.py",
    "model.pt",
    "model.plan",
    "model.graphdef",
    "model.savedmodel",
}
LIFECYCLE = "Triton core, model_lifecycle.cc (VersionsToLoad), and seen on 24.10"


@rule(
    "SW121",
    "no-version",
    reason="packing refuses it, and the load fails: “at least one version must be available”",
    source=LIFECYCLE,
)
def no_version(subject: Subject) -> Iterator[Found]:
    """A model without a version directory that holds a file."""
    for each in subject.configs.values():
        if each.is_ensemble or _versions(each):
            continue
        misnamed = [path for path in _directories(each) if _meant(path) and _holds(path)]
        beside = [path for path in sorted(each.directory.iterdir()) if path.name in MODEL_FILES]
        for path in misnamed:
            target = path.with_name(_meant(path))
            free = len(misnamed) == 1 and not target.exists()
            yield Found(
                Place(path),
                f"the server ignores the version directory {path.name!r}: it is no plain number",
                f"rename it to {target.name}",
                (Move(path, target),) if free else (),
            )
        if not misnamed and beside:
            mends: tuple[Mend, ...] = ()
            if len(beside) == 1 and not (each.directory / "1").exists():
                alone = beside[0].suffix != ".py" or not list(each.directory.glob("[!m]*.py"))
                mends = (Move(beside[0], each.directory / "1" / beside[0].name),) if alone else ()
            yield Found(
                Place(beside[0]),
                "the model's file lies beside the config instead of in a version directory",
                f"move it to {each.directory / '1' / beside[0].name}",
                mends,
            )
        elif not misnamed:
            yield Found(
                Place(each.directory),
                "no model version: no folder named by a number, with a file in it",
                f"put the model's files into {each.directory / '1'}/",
            )


@rule(
    "SW122",
    "empty-version",
    severity="warning",
    reason="the artifact holds files only, so another version is served than one may think",
    source="Slipway, artifact/pack.py; on 24.10 the load hangs if the directory is there",
)
def empty_version(subject: Subject) -> Iterator[Found]:
    """A version directory without a file, beside one that has some."""
    for each in subject.configs.values():
        filled = _versions(each)
        for path in _directories(each):
            pointed = path.with_name(f"{path.name}{POINTER}").exists()
            if filled and NUMBER.fullmatch(path.name) and not pointed and not _holds(path):
                empty = next(path.iterdir(), None) is None
                yield Found(
                    Place(path),
                    f"version {path.name} holds no file that is packed",
                    "remove the directory, or put the model's files into it",
                    (Remove(path),) if empty else (),
                )


@rule(
    "SW123",
    "ignored-version",
    severity="warning",
    reason="the server ignores it, with a warning in its log",
    source=LIFECYCLE,
)
def ignored_version(subject: Subject) -> Iterator[Found]:
    """A directory such as ``01`` or ``v2`` beside proper ones."""
    for each in subject.configs.values():
        for path in _directories(each) if _versions(each) else ():
            if _meant(path) and _holds(path):
                yield Found(
                    Place(path),
                    f"a version directory is a plain number, and {path.name!r} is not",
                    f"rename it to {_meant(path)}, or remove it",
                )


@rule(
    "SW124",
    "taken-for-a-version",
    reason="the server reads the number before the rest and loads that version: the load hangs"
    " or fails",
    source=LIFECYCLE,
)
def taken_for_a_version(subject: Subject) -> Iterator[Found]:
    """A directory such as ``2_old`` or ``3d_assets``, or a number that no version can have."""
    for each in subject.configs.values():
        versions = _versions(each)
        for path in _directories(each):
            number = _read_as(path)
            if number is None or number in versions or not _holds(path):
                continue
            if abs(number) > LARGEST:
                yield Found(
                    Place(path),
                    f"{path.name!r} does not fit into 64 bits: the server aborts",
                    "a smaller number",
                )
            elif versions and number in chosen_versions(each.message, {*versions, number}):
                yield Found(
                    Place(path),
                    f"the server takes {path.name!r} for version {number}",
                    "a name that begins with a letter",
                )


@rule(
    "SW125",
    "no-version-chosen",
    reason="the load fails: “at least one version must be available under the version policy”",
    source=LIFECYCLE,
)
def no_version_chosen(subject: Subject) -> Iterator[Found]:
    """``version_policy`` leaves nothing to load."""
    for each, message in subject.parsed.values():
        versions = _versions(each) or ({1} if each.is_ensemble else set())
        if versions and not chosen_versions(message, versions):
            here = ", ".join(str(version) for version in sorted(versions))
            latest = message.version_policy.HasField("latest")
            yield Found(
                each.place("version_policy"),
                "it asks for the latest 0 versions" if latest else "none of its versions is here",
                "latest { num_versions: 1 }" if latest else f"here are: {here}",
            )


@rule(
    "SW126",
    "version-not-here",
    severity="warning",
    reason="the server logs an error and loads the others",
    source=LIFECYCLE,
)
def version_not_here(subject: Subject) -> Iterator[Found]:
    """``version_policy`` names versions that are here, and one that is not."""
    for each, message in subject.parsed.values():
        versions = _versions(each) or ({1} if each.is_ensemble else set())
        if not chosen_versions(message, versions):
            continue
        for number, version in enumerate(message.version_policy.specific.versions):
            if version not in versions:
                yield Found(
                    each.value_place("version_policy", "specific", "versions", number),
                    f"there is no version {version}",
                    f"add {each.directory / str(version)}/, or remove it here",
                )


def _directories(each: Config) -> list[Path]:
    found = [path for path in each.directory.iterdir() if path.is_dir()]
    return sorted(path for path in found if path.name not in NOT_VERSIONS and path.name[0] != ".")


def _versions(each: Config) -> set[int]:
    """The versions that the artifact will hold."""
    found = {path.name for path in _directories(each) if _holds(path)}
    found |= {path.name.removesuffix(POINTER) for path in each.directory.glob(f"*{POINTER}")}
    return {int(name) for name in found if NUMBER.fullmatch(name) and int(name) <= LARGEST}


def _holds(directory: Path) -> bool:
    """Whether it has a file that is packed, or a pointer to one."""
    for path in directory.rglob("*"):
        parts = path.relative_to(directory).parts
        aside = any(part.startswith(".") or part == "__pycache__" for part in parts)
        if path.is_file() and not aside and path.name not in LEFT_OUT_NAMES:
            if path.suffix != ".pyc":
                return True
    return False


def _read_as(path: Path) -> int | None:
    found = READ_AS.match(path.name)
    if found is None or (len(path.name) > 1 and path.name[0] == "0"):
        return None
    return int(found[0])


def _meant(path: Path) -> str:
    found = MEANT.fullmatch(path.name)
    return str(int(found["number"] or found["named"])) if found else ""
