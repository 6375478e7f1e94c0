"""Lock ``requirements.txt`` as ``requirements.lock``: every package pinned, with hashes."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.utils import canonicalize_name

from slipway.environment import interpreter
from slipway.environment.lock_errors import explain
from slipway.environment.packages import find_links, run_uv
from slipway.environment.platforms import uv_platform
from slipway.environment.requirement_lines import (
    NamedRequirement,
    UrlRequirement,
    read_requirement_lines,
)
from slipway.environment.requirement_refusals import refuse_line
from slipway.environment.shared.locked import with_paths, without_paths
from slipway.environment.shared.requirements import SharedRequirement, find_shared
from slipway.environment.shared.wheel import build_shared_wheel
from slipway.environment.wheels.sources import build_from_source, read_source_builds
from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.settings import Settings
from slipway.triton import numpy_support

HEADER = re.compile(r"# slipway: requirements sha256=(?P<digest>[0-9a-f]{64}), (?P<target>.*)")
PINNED = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)")
RELATIVE = re.compile(r" @ file:(?!/)")


def lock_requirements(requirements: Path, settings: Settings, *, upgrade: bool = False) -> Path:
    """Write ``requirements.lock`` next to ``requirements``; pins that still fit are kept.

    If a channel can be reached, ``interpreter.lock`` is written at the repository's root if it is
    missing (or with ``upgrade``): it pins the Python for all models.

    Raises:
        SlipwayError: a requirement is not a plain one, cannot be met, has no wheel for the
            configured platform, or cannot be served (see ``refuse_unservable``).
    """
    normalised_requirements(requirements)  # refuses malformed lines before uv is started
    target = requirements.with_name("requirements.lock")
    argv: list[str | Path] = [
        *("pip", "compile", "--quiet", "--generate-hashes", "--no-header"),
        *("--no-emit-index-url", "--no-emit-find-links", "--only-binary", ":all:"),
        *("--python-platform", uv_platform(settings.platform)),
        *("--python-version", settings.python),
        *(["--upgrade"] if upgrade else []),
        *("--output-file", target.name, requirements.name),
    ]
    with atomic_write(target) as sibling:
        # uv writes the paths that it gets, so it works on copies with the original names
        shared = find_shared(requirements)
        copy = sibling.with_name(requirements.name)
        copy.write_text(_for_uv(requirements, shared, settings), encoding="utf-8")
        earlier = () if upgrade else read_source_builds(target)
        lines = copy.read_text(encoding="utf-8").splitlines()
        if target.is_file():
            sibling.write_text(without_paths(target.read_text(encoding="utf-8")), encoding="utf-8")
        try:
            built = build_from_source(lines, settings, where=requirements, earlier=earlier)
            variables = find_links(wheel.path.parent for wheel in built)
            run_uv(
                argv,
                settings,
                what=f"locking {requirements}",
                cwd=sibling.parent,
                variables=variables,
            )
        except SlipwayError as error:
            raise explain(error, requirements, settings) from error
        _limit_numpy(argv, sibling, variables, settings)
        first_line = header(requirements, settings)
        locked = with_paths(sibling.read_text(encoding="utf-8"), shared, requirements)
        for wheel in built:
            locked = wheel.pin(locked)
        sibling.write_text(f"{first_line}\n{locked}", encoding="utf-8")
        refuse_unservable(sibling, settings, requirements=requirements)
    if upgrade or not (settings.root / interpreter.LOCK_NAME).is_file():
        interpreter.pin_interpreter(settings)
    return target


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
    text = lock.read_text(encoding="utf-8", errors="replace").replace("\\\n", "\\ ")
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


def _limit_numpy(
    argv: list[str | Path], lock: Path, variables: Mapping[str, str], settings: Settings
) -> None:
    """Lock again with a limit for numpy, if the version in ``lock`` cannot be served.

    Nothing changes where the requirements allow no other one: the lock is refused then.
    """
    numpy = dict(pins(lock)).get("numpy")
    limit = numpy and numpy_support.limit(numpy, settings.triton_release, settings.test_release)
    if not limit:
        return
    constraint = lock.with_name("numpy.txt")
    constraint.write_text(f"numpy{limit}\n", encoding="utf-8")
    with contextlib.suppress(SlipwayError):
        run_uv(
            [*argv, "--constraint", constraint.name],
            settings,
            what=f"locking numpy{limit}",
            cwd=lock.parent,
            variables=variables,
        )


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
            line.requirement.name = canonicalize_name(line.requirement.name)
            lines.append(str(line.requirement))
        elif isinstance(line, UrlRequirement):
            lines.append(" ".join(line.text.split()))
    return "\n".join(sorted(lines))


def _for_uv(requirements: Path, shared: tuple[SharedRequirement, ...], settings: Settings) -> str:
    """Return the requirements with wheels of the repository's packages instead of their paths."""
    wheels = {
        requirement.line.number: requirement.located_at(
            build_shared_wheel(requirement.package, settings).as_uri()
        )
        for requirement in shared
    }
    lines = read_requirement_lines(requirements)
    return "".join(f"{wheels.get(line.number, line.text)}\n" for line in lines)


def named_packages(requirements: Path) -> set[str]:
    """Return the packages that a ``requirements.txt`` names, without malformed lines."""
    text = (
        requirements.read_text(encoding="utf-8", errors="replace") if requirements.is_file() else ""
    )
    return {name for line in text.splitlines() if (name := package_in_line(line))}


def package_in_line(line: str) -> str | None:
    """Return the package that a line of ``requirements.txt`` names, or ``None``."""
    name = re.match(r"\s*([A-Za-z0-9][\w.-]*)", line)
    return canonicalize_name(name[1]) if name else None


def lock_content(lock: Path) -> str:
    """Return the lines of a lock without comments, as an installer reads them."""
    lines = lock.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(line for line in lines if line.strip() and not line.lstrip().startswith("#"))


def pins(lock: Path) -> Iterator[tuple[str, str]]:
    """Yield name and version of each package in a lock."""
    for line in lock_content(lock).splitlines():
        pinned = PINNED.match(line)
        if pinned:
            yield canonicalize_name(pinned["name"]), pinned["version"]


def _header(lock: Path) -> re.Match[str] | None:
    with lock.open(encoding="utf-8", errors="replace") as file:
        return HEADER.match(file.readline())
