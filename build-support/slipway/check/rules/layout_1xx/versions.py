"""SW12x: model versions, the directories named by a number.

What counts is the content of the artifact: files, not empty directories, and the weights that DVC
pointers refer to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from slipway.check.config_file import ConfigFile
from slipway.check.finding import Fix, Location, Move, Remove, RuleHit
from slipway.check.model_files import chosen_versions
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.model.folder import LEFT_OUT_NAMES
from slipway.unchanged import remembered

NUMBER = re.compile(r"0|[1-9][0-9]*")
# how std::stoll reads a directory's name: a number, and any characters after it
READ_AS = re.compile(r"[+-]?[0-9]+")
INTENDED = re.compile(r"0+(?P<number>[0-9]+)|[vV](?:ersion)?[-_. ]?(?P<named>[0-9]+)")
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
def no_version(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find models without a version directory that holds a file."""
    for config in model.configs.values():
        # packing writes the version directory of an ensemble
        if (config.is_ensemble and not model.is_foreign) or _versions(model, config):
            continue
        misnamed = [
            path
            for path in _directories(config)
            if _intended_number(path) and _has_packed_file(path)
        ]
        model_files = [
            path for path in sorted(config.directory.iterdir()) if path.name in MODEL_FILES
        ]
        for path in misnamed:
            target = path.with_name(_intended_number(path))
            free = len(misnamed) == 1 and not target.exists()
            yield RuleHit(
                Location(path),
                f"the server ignores the version directory {path.name!r}: it is not a plain number",
                f"rename it to {target.name}",
                (Move(path, target),) if free else (),
            )
        if not misnamed and model_files:
            fixes: tuple[Fix, ...] = ()
            if len(model_files) == 1 and not (config.directory / "1").exists():
                is_alone = model_files[0].suffix != ".py" or not list(
                    config.directory.glob("[!m]*.py")
                )
                fixes = (
                    (Move(model_files[0], config.directory / "1" / model_files[0].name),)
                    if is_alone
                    else ()
                )
            yield RuleHit(
                Location(model_files[0]),
                "the model's file is next to the config instead of in a version directory",
                f"move it to {config.directory / '1' / model_files[0].name}",
                fixes,
            )
        elif not misnamed:
            yield RuleHit(
                Location(config.directory),
                "no model version: no folder with a number as its name and a file in it",
                (
                    f"mkdir {config.directory / '1'}, with a file in it that git keeps"
                    if config.is_ensemble
                    else f"put the model's files into {config.directory / '1'}/"
                ),
            )


@rule(
    "SW122",
    "empty-version",
    scope="slipway",
    severity="warning",
    reason="the artifact holds files only, so a version is served that you may not expect",
    source="Slipway, artifact/pack.py; on 24.10 the load hangs if the directory is there",
)
def empty_version(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find version directories without a file, if another one has files."""
    for config in model.configs.values():
        filled = _versions(model, config)
        for path in _directories(config):
            pointed = path.with_name(f"{path.name}{POINTER}").exists()
            if (
                filled
                and NUMBER.fullmatch(path.name)
                and not pointed
                and not _has_packed_file(path)
            ):
                empty = next(path.iterdir(), None) is None
                yield RuleHit(
                    Location(path),
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
def ignored_version(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find directories such as ``01`` or ``v2`` in a model with valid version directories."""
    for config in model.configs.values():
        for path in _directories(config) if _versions(model, config) else ():
            if _intended_number(path) and _has_packed_file(path):
                yield RuleHit(
                    Location(path),
                    f"a version directory is a plain number, and {path.name!r} is not",
                    f"rename it to {_intended_number(path)}, or remove it",
                )


@rule(
    "SW124",
    "taken-for-a-version",
    reason="the server reads the leading number and loads that version: the load hangs or fails",
    source=LIFECYCLE,
)
def taken_for_a_version(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find directories such as ``2_old`` or ``3d_assets``, and numbers that are too large."""
    for config in model.configs.values():
        versions = _versions(model, config)
        for path in _directories(config):
            number = _read_as(path)
            if number is None or number in versions or not _has_packed_file(path):
                continue
            if abs(number) > LARGEST:
                yield RuleHit(
                    Location(path),
                    f"{path.name!r} does not fit into 64 bits: the server aborts",
                    "a smaller number",
                )
            elif versions and number in chosen_versions(config.message, {*versions, number}):
                yield RuleHit(
                    Location(path),
                    f"the server mistakes {path.name!r} for version {number}",
                    "rename it so that it begins with a letter",
                )


@rule(
    "SW125",
    "no-version-chosen",
    reason="the load fails: “at least one version must be available under the version policy”",
    source=LIFECYCLE,
)
def no_version_chosen(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``version_policy`` that leaves no version to load."""
    for config, message in model.parsed.values():
        versions = _versions(model, config) or ({1} if config.is_ensemble else set())
        if versions and not chosen_versions(message, versions):
            here = ", ".join(str(version) for version in sorted(versions))
            latest = message.version_policy.HasField("latest")
            yield RuleHit(
                config.location("version_policy"),
                "it asks for the latest 0 versions" if latest else "none of its versions exists",
                "latest { num_versions: 1 }" if latest else f"name one that exists: {here}",
            )


@rule(
    "SW126",
    "version-not-here",
    severity="warning",
    reason="the server logs an error and loads the others",
    source=LIFECYCLE,
)
def version_not_here(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``version_policy`` that names existing versions, and one that is missing."""
    for config, message in model.parsed.values():
        versions = _versions(model, config) or ({1} if config.is_ensemble else set())
        if not chosen_versions(message, versions):
            continue
        for number, version in enumerate(message.version_policy.specific.versions):
            if version not in versions:
                yield RuleHit(
                    config.value_location("version_policy", "specific", "versions", number),
                    f"there is no version {version}",
                    f"add {config.directory / str(version)}/, or remove the version here",
                )


@lru_cache(maxsize=64)  # for the configs of one folder
def _directories(config: ConfigFile) -> list[Path]:
    return sorted(
        path
        for path in config.directory.iterdir()
        if path.is_dir() and path.name not in NOT_VERSIONS and path.name[0] != "."
    )


def _versions(model: ModelUnderCheck, config: ConfigFile) -> set[int]:
    """Return the versions that the server gets: without those that packing leaves out."""
    return _versions_of(config, any_file=model.is_foreign)


@lru_cache(maxsize=64)
def _versions_of(config: ConfigFile, *, any_file: bool) -> set[int]:
    names = {path.name for path in _directories(config) if any_file or _has_packed_file(path)}
    names |= {path.name.removesuffix(POINTER) for path in config.directory.glob(f"*{POINTER}")}
    return {int(name) for name in names if NUMBER.fullmatch(name) and int(name) <= LARGEST}


@remembered
def _has_packed_file(directory: Path) -> bool:
    """Return whether a directory has a file that is packed, or a pointer to one."""
    depth = len(directory.parts)
    for path in directory.rglob("*"):
        parts = path.parts[depth:]
        ignored = any(part.startswith(".") or part == "__pycache__" for part in parts)
        packed = not ignored and path.name not in LEFT_OUT_NAMES and path.suffix != ".pyc"
        if packed and path.is_file():
            return True
    return False


def _read_as(path: Path) -> int | None:
    match = READ_AS.match(path.name)
    if match is None or (len(path.name) > 1 and path.name[0] == "0"):
        return None
    return int(match[0])


def _intended_number(path: Path) -> str:
    match = INTENDED.fullmatch(path.name)
    return str(int(match["number"] or match["named"])) if match else ""
