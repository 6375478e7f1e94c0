"""The packages of the repository in a lock: what they hold now, and how they are installed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from slipway.environment.repository_root import repository_root
from slipway.environment.requirement_lines import PathRequirement, parse_requirement_lines
from slipway.environment.shared.package import SharedPackage, read_shared_package
from slipway.environment.shared.requirements import SharedRequirement, folder_of, relative_url
from slipway.environment.shared.sources import digest_of_sources
from slipway.files import sha256_of
from slipway.settings import Settings
from slipway.unchanged import read_text, remembered


@dataclass(frozen=True)
class LockedPackage:
    """A package of the repository in a lock.

    ``source`` is its folder below the root and the digest of its files,
    ``libs/words@sha256:<64 digits>``, as an artifact's manifest records it.
    """

    package: SharedPackage
    source: str


@remembered
def locked_packages(lock: Path) -> tuple[LockedPackage, ...]:
    """Return the packages of the repository in ``lock``, with the digests of their files now.

    Raises:
        SlipwayError: see ``read_shared_package`` and ``digest_of_sources``.
    """
    found = []
    for line in parse_requirement_lines(read_text(lock)):
        if isinstance(line, PathRequirement):
            root = repository_root(lock.parent) or lock.parent.resolve()
            folder = folder_of(line, lock)
            where = Path(os.path.relpath(folder.resolve(), root)).as_posix()
            source = f"{where}@sha256:{digest_of_sources(folder)}"
            found.append(LockedPackage(read_shared_package(folder), source))
    return tuple(found)


def with_paths(text: str, shared: tuple[SharedRequirement, ...], requirements: Path) -> str:
    """Return the text of a lock in which packages of the repository are named by relative paths.

    An installer's lines name wheels in this machine's cache, with their hashes.
    """
    by_name = {requirement.package.name: requirement for requirement in shared}
    lines: list[str] = []
    in_wheel = False  # in the lines of hashes that belong to a wheel
    for line in text.splitlines():
        name = canonicalize_name(line.partition(" @ ")[0].partition("[")[0])
        if " @ file:" in line and name in by_name:
            requirement = by_name[name]
            url = relative_url(requirement.package, requirements)
            lines.append(f"{requirement.package.name}{requirement.extras} @ {url}")
            in_wheel = True
        elif in_wheel and line.lstrip().startswith("--hash="):
            continue
        else:
            in_wheel = False
            lines.append(line)
    return "\n".join([*lines, ""])


def without_paths(text: str) -> str:
    """Return the text of a lock without its packages of the repository."""
    return "".join(
        line for line in text.splitlines(keepends=True) if " @ file:" not in line.partition("#")[0]
    )


def with_wheels(lock: Path, settings: Settings) -> str:
    """Return the text of ``lock`` with the wheels of the repository's packages, and their hashes.

    Raises:
        SlipwayError: see ``build_shared_wheel``.
    """
    # building wheels imports what those who only read a lock do not need
    from slipway.environment.shared.wheel import build_shared_wheel

    text = lock.read_text(encoding="utf-8")
    wheels = [build_shared_wheel(locked.package, settings) for locked in locked_packages(lock)]
    lines = [f"{wheel.as_uri()} --hash=sha256:{sha256_of(wheel)}\n" for wheel in wheels]
    return without_paths(text) + "".join(lines)
