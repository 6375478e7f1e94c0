"""Packages that are published as source only, and built to wheels: ``build-from-source``.

A lock pins such a package by the hash of the wheel. Comments in the lock hold from what and with
what it is built, so that every machine builds the same wheel again.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.utils import canonicalize_name

from slipway.environment.locking.resolver import ResolvedPackage, resolve
from slipway.environment.wheels.archive import fetch_source
from slipway.environment.wheels.builder import Project, build_wheel, lock_build_requirements
from slipway.errors import SlipwayError
from slipway.files import atomic_write, cache_dir, locked, sha256_of
from slipway.settings import Settings

FROM = re.compile(
    r"# slipway: (?P<name>\S+) (?P<version>\S+) is built from (?P<file>\S+) sha256=(?P<sha256>\w+)"
)
WITH = re.compile(r"# slipway: (?P<name>\S+) (?P<version>\S+) is built with (?P<pin>.+)")


@dataclass(frozen=True)
class SourceBuild:
    """How a package is built: its source distribution, and pins of what builds it."""

    name: str
    version: str
    file: str
    sha256: str  # of the source distribution
    requirements: tuple[str, ...] = ()

    @property
    def comments(self) -> str:
        """Return the lines of a lock that hold this."""
        package = f"# slipway: {self.name} {self.version} is built"
        lines = [f"{package} from {self.file} sha256={self.sha256}"]
        lines += [f"{package} with {pin}" for pin in self.requirements]
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True)
class BuiltWheel:
    """A wheel that was built here, in a folder that holds only it."""

    build: SourceBuild
    path: Path

    def pin(self, text: str) -> str:
        """Return the text of a lock with this wheel's hash as the only one, and the build's lines.

        A text without the package stays as it is.
        """
        package = rf"^{re.escape(self.build.name)}=={re.escape(self.build.version)}"
        hashes = rf" \\\n    --hash=sha256:{sha256_of(self.path)}"
        pattern = re.compile(rf"({package})((?: \\\n    --hash=\S+)*)(?=\s)", re.MULTILINE)
        if not pattern.search(text):
            return text
        pinned = pattern.sub(rf"\1{hashes}", text)
        return pinned if self.build.comments in pinned else pinned + self.build.comments


def read_source_builds(lock: Path) -> list[SourceBuild]:
    """Return how the packages of a lock are built that are built from source."""
    text = lock.read_text(encoding="utf-8") if lock.is_file() else ""
    pins = defaultdict(list)
    for found in WITH.finditer(text):
        pins[found["name"]].append(found["pin"])
    return [
        SourceBuild(found["name"], found["version"], found["file"], found["sha256"],
                    tuple(pins[found["name"]]))
        for found in FROM.finditer(text)
    ]  # fmt: skip


def build_from_source(
    lines: Sequence[str], settings: Settings, *, where: Path, earlier: Iterable[SourceBuild] = ()
) -> list[BuiltWheel]:
    """Build the wheels of those packages that ``slipway.toml`` lists and ``lines`` need.

    Each is built twice: a wheel that differs between two builds could not be locked.

    Args:
        lines: requirements for uv.
        where: the ``requirements.txt``.
        earlier: the builds of the lock before; what still fits is kept.

    Raises:
        SlipwayError: a package cannot be built, is not of pure Python, or is not reproducible.
    """
    names: set[str] = {canonicalize_name(name) for name in settings.build_from_source}
    kept = {build.name: build for build in earlier}
    built: dict[str, BuiltWheel] = {}
    while pending := names - set(built):
        packages = _resolve(lines, settings, where, pending, kept, list(built.values()))
        needed = [p for p in packages if p.name in pending and p.source is not None]
        if not needed:
            break
        for package in needed:
            assert package.source is not None
            build = SourceBuild(
                package.name, package.version, package.source.name, package.source.sha256
            )
            before = kept.get(package.name)
            if before and replace(before, requirements=()) == build:
                build = before
            build = _build(build, package, settings, where)
            built[package.name] = BuiltWheel(build, next(_folder(build).glob("*.whl")))
    return list(built.values())


def build_locked(lock: Path, settings: Settings) -> list[BuiltWheel]:
    """Return the wheels of a lock that are built from source, from the cache or built again.

    Raises:
        SlipwayError: the source distribution is gone or another one, or the wheel is not the
            locked one.
    """
    text = lock.read_text(encoding="utf-8")
    wheels = []
    for build in read_source_builds(lock):
        folder = _folder(build)
        if not list(folder.glob("*.whl")):
            (package,) = (
                package
                for package in resolve(
                    [f"{build.name}=={build.version}"],
                    settings,
                    where=lock,
                    from_source=[build.name],
                )
                if package.name == build.name
            )
            _build(build, package, settings, lock)
        wheel = BuiltWheel(build, next(folder.glob("*.whl")))
        if wheel.pin(text) != text:
            raise SlipwayError(
                f"{build.name} {build.version}: the wheel that this machine builds from"
                f" {build.file} is not the locked one",
                where=str(lock),
                fix=f"slipway lock {lock.parent}; if a build elsewhere differs again, publish the"
                " wheel in an index of your own",
            )
        wheels.append(wheel)
    return wheels


def _resolve(
    lines: Sequence[str],
    settings: Settings,
    where: Path,
    pending: Iterable[str],
    kept: dict[str, SourceBuild],
    built: list[BuiltWheel],
) -> list[ResolvedPackage]:
    """Resolve with the versions of the lock before; without them if they do not fit."""
    pins = [f"{name}=={kept[name].version}" for name in sorted(pending) if name in kept]
    folders = [wheel.path.parent for wheel in built]
    if pins:
        try:
            return resolve(
                lines, settings, where=where, from_source=pending, wheels=folders, limits=pins
            )
        except SlipwayError:
            pass  # without them, below
    return resolve(lines, settings, where=where, from_source=pending, wheels=folders)


def _build(
    build: SourceBuild, package: ResolvedPackage, settings: Settings, where: Path
) -> SourceBuild:
    """Build a wheel into the cache; return the build with the pins of what built it."""
    assert package.source is not None
    if package.source.sha256 != build.sha256:
        raise SlipwayError(
            f"{build.file} on the index is not the locked file",
            where=str(where),
            fix="find out why it changed; if that is intended, run `slipway lock --upgrade`",
        )
    with tempfile.TemporaryDirectory(prefix="slipway-source-") as work:
        folder = fetch_source(package.source, Path(work), where=where)
        project = Project(folder, f"{build.name} {build.version}", where, build.requirements)
        if not build.requirements:
            pins = lock_build_requirements(project, settings)
            build, project = replace(build, requirements=pins), replace(
                project, build_requirements=pins
            )
        target = _folder(build)
        with locked(target.with_name(f"{target.name}.guard")):
            if target.is_dir():
                return build
            with atomic_write(target) as sibling:
                first = build_wheel(project, settings, sibling)
                again = build_wheel(project, settings, Path(work, "again"))
                if first.read_bytes() != again.read_bytes():
                    raise SlipwayError(
                        f"{project.name} is not reproducible: two builds give two wheels",
                        where=str(where),
                        fix=f"publish a wheel of {build.name} in an index of your own",
                    )
    return build


def _folder(build: SourceBuild) -> Path:
    """Return the folder in the cache for the wheel of ``build``."""
    key = hashlib.sha256(build.comments.encode()).hexdigest()
    return cache_dir("wheels") / key
