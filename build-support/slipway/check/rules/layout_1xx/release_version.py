"""SW11x: ``model_version.txt``, which holds the release version."""

from __future__ import annotations

import re
from collections.abc import Iterator

import semver

from slipway.check.finding import Create, Edit, Location, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.unchanged import read_text

# what staging adds to the release version (release/publish.py), and the longest name of a file
STAGING_SUFFIX = "-rc.h0123456789ab"
LONGEST = 255
# what --fix writes where there is no version, and the short forms that it completes
FIRST = "0.1.0"
SHORT = re.compile(r"[vV]?(0|[1-9]\d*)(?:\.(0|[1-9]\d*))?(?:\.(0|[1-9]\d*))?")


@rule(
    "SW115",
    "no-version-file",
    scope="slipway",
    reason="packing refuses it: a release without a version has no name",
    source="Slipway, model/folder.py",
)
def no_version_file(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find folders without ``model_version.txt``."""
    if not model.version_file.is_file():
        yield RuleHit(
            Location(model.version_file),
            "no such file",
            f"create it with a version such as {FIRST}",
            (Create(model.version_file, f"{FIRST}\n"),) if model.folder.is_dir() else (),
        )


@rule(
    "SW116",
    "version-not-semantic",
    scope="slipway",
    reason="packing refuses it: releases are ordered by their versions",
    source="https://semver.org; Slipway, model/folder.py",
)
def version_not_semantic(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``model_version.txt`` without a semantic version."""
    version = _version(model)
    if version is not None and not semver.Version.is_valid(version):
        meant = SHORT.fullmatch(version)
        full = ".".join(part or "0" for part in meant.groups()) if meant else None
        yield RuleHit(
            Location(model.version_file, 1, 1),
            f"{version!r} is not a semantic version",
            f"write three numbers, such as {full or '1.2.0'}",
            (_rewrite(model, full),) if full else (),
        )


@rule(
    "SW117",
    "artifact-name-too-long",
    scope="slipway",
    reason="no file system accepts a file with the name of this artifact, or of its release",
    source="Linux, NAME_MAX; AWS allows a TargetModel 1024 characters",
)
def artifact_name_too_long(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find target models whose file name has more than 255 characters."""
    version = _version(model)
    length = len(f"{model.name}_{version}{STAGING_SUFFIX}.tar.gz")
    if version is not None and semver.Version.is_valid(version) and length > LONGEST:
        yield RuleHit(
            Location(model.version_file, 1, 1),
            f"the artifact's name has {length} characters in staging, more than {LONGEST}",
            "shorten the release version",
        )


@rule(
    "SW118",
    "version-with-build",
    scope="slipway",
    severity="warning",
    reason="a + in a key is a space in URLs, and versions that differ only behind it are equal",
    source="AWS S3, object keys; https://semver.org, 10",
)
def version_with_build(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find release versions with build metadata."""
    version = _version(model)
    if version is not None and semver.Version.is_valid(version) and "+" in version:
        bare = version.partition("+")[0]
        yield RuleHit(
            Location(model.version_file, 1, 1),
            f"{version!r} has build metadata",
            f"write {bare}: the artifact's manifest records the commit and the lock",
            (_rewrite(model, bare),),
        )


def _rewrite(model: ModelUnderCheck, version: str) -> Edit:
    text = model.version_file.read_text(encoding="utf-8", errors="replace")
    return Edit(model.version_file, 0, len(text), f"{version}\n")


def _version(model: ModelUnderCheck) -> str | None:
    try:
        return read_text(model.version_file).strip()
    except OSError:
        return None
