"""Read ``requirements.txt`` and ``requirements.lock``: every package pinned, with hashes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from copy import copy
from pathlib import Path

from packaging.utils import canonicalize_name

from slipway.environment.requirement_lines import (
    NamedRequirement,
    UrlRequirement,
    read_requirement_lines,
)
from slipway.environment.requirement_refusals import refuse_line
from slipway.environment.shared.requirements import find_shared
from slipway.errors import SlipwayError
from slipway.settings import Settings
from slipway.triton.image import numpy_support
from slipway.unchanged import read_text, remembered

HEADER = re.compile(r"# slipway: requirements sha256=(?P<digest>[0-9a-f]{64}), (?P<target>.*)")
PINNED = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)")
RELATIVE = re.compile(r" @ file:(?!/)")


def header(requirements: Path, settings: Settings) -> str:
    """Return the first line of a lock of ``requirements``: their digest and the target.

    Raises:
        SlipwayError: as :func:`normalised_requirements`.
    """
    digest = hashlib.sha256(normalised_requirements(requirements).encode()).hexdigest()
    return f"# slipway: requirements sha256={digest}, {describe_target(settings)}"


def check_lock(requirements: Path, lock: Path) -> None:
    """Refuse a lock that does not match the current ``requirements``, offline and without uv.

    Raises:
        SlipwayError: a file is missing, or they do not match.
    """
    fix = f"slipway lock {requirements.parent}"
    if not lock.is_file():
        raise SlipwayError("there is no lock", where=str(lock), fix=fix)
    digest = hashlib.sha256(normalised_requirements(requirements).encode()).hexdigest()
    header = _header(lock)
    if header is None:
        raise SlipwayError("not locked by Slipway", where=f"{lock}:1", fix=fix)
    if header["digest"] != digest:
        raise SlipwayError(
            f"{requirements.name} has changed since it was locked", where=str(lock), fix=fix
        )


def describe_target(settings: Settings) -> str:
    """Return the Python and platform of the environments, as a lock's first line has them."""
    return f"python {settings.python}, {settings.platform}"


def locked_target(lock: Path) -> str | None:
    """Return the Python and platform of ``lock``; ``None`` if Slipway did not write it."""
    header = _header(lock)
    return header["target"] if header else None


def find_unhashed(lock: Path) -> Iterator[tuple[int, str]]:
    """Yield the requirements of a lock without hashes or a version, with their line numbers."""
    text = read_text(lock).replace("\\\n", "\\ ")
    number = 1
    for line in text.splitlines():
        requirement_text = line.partition("#")[0].strip()
        pinned = PINNED.match(requirement_text) or " @ " in requirement_text
        shared = RELATIVE.search(requirement_text)  # its files are hashed by every build
        if requirement_text and not shared and not (pinned and "--hash=" in requirement_text):
            yield number, requirement_text.partition("\\")[0].strip()
        number += 1 + line.count("\\ ")


def refuse_unservable(lock: Path, settings: Settings, *, requirements: Path | None = None) -> None:
    """Refuse an environment that Triton's Python stub cannot work with.

    Raises:
        SlipwayError: numpy is missing, or is a version that a configured release's stub mishandles.
    """
    where = str(requirements or lock)
    numpy = dict(pins(lock)).get("numpy")
    if numpy is None:
        raise SlipwayError(
            "an environment without numpy: Triton passes tensors as numpy arrays",
            where=where,
            fix="add numpy to requirements.txt and lock again",
        )
    releases = settings.triton_release, settings.test_release
    limit = numpy_support.limit(numpy, *releases)
    if limit is not None:
        raise SlipwayError(
            f"numpy {numpy}: {numpy_support.reason(numpy, *releases)}",
            where=where,
            fix=f"write numpy{limit} in requirements.txt and lock again",
        )


@remembered
def normalised_requirements(requirements: Path) -> str:
    """Return the requirements of a ``requirements.txt``, sorted, without comments and spelling.

    Raises:
        SlipwayError: it is missing, or a line is an option or not a requirement.
    """
    if not requirements.is_file():
        raise SlipwayError(
            "there is no requirements.txt",
            where=str(requirements),
            fix="create it with the packages that model.py imports, and numpy",
        )
    lines = [shared.normalised(requirements) for shared in find_shared(requirements)]
    for line in read_requirement_lines(requirements):
        refuse_line(line, requirements)
        if isinstance(line, NamedRequirement):
            requirement = copy(line.requirement)
            requirement.name = canonicalize_name(requirement.name)
            lines.append(str(requirement))
        elif isinstance(line, UrlRequirement):
            lines.append(" ".join(line.text.split()))
    return "\n".join(sorted(lines))


@remembered
def named_packages(requirements: Path) -> set[str]:
    """Return the packages that a ``requirements.txt`` names, without malformed lines."""
    text = read_text(requirements) if requirements.is_file() else ""
    return {name for line in text.splitlines() if (name := package_in_line(line))}


def package_in_line(line: str) -> str | None:
    """Return the package that a line of ``requirements.txt`` names, or ``None``."""
    name = re.match(r"\s*([A-Za-z0-9][\w.-]*)", line)
    return canonicalize_name(name[1]) if name else None


@remembered
def lock_content(lock: Path) -> str:
    """Return the lines of a lock without comments, as an installer reads them."""
    lines = read_text(lock).splitlines()
    return "\n".join(line for line in lines if line.strip() and not line.lstrip().startswith("#"))


def pins(lock: Path) -> Iterator[tuple[str, str]]:
    """Yield name and version of each package in a lock."""
    for line in lock_content(lock).splitlines():
        pinned = PINNED.match(line)
        if pinned:
            yield canonicalize_name(pinned["name"]), pinned["version"]


def _header(lock: Path) -> re.Match[str] | None:
    return HEADER.match(read_text(lock))
