"""Find the packages of the repository that a ``requirements.txt`` or a lock names by path."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from slipway.environment.repository_root import repository_root
from slipway.environment.requirement_lines import (
    NamedRequirement,
    PathRequirement,
    read_requirement_lines,
)
from slipway.environment.shared.package import (
    FOLDER,
    PYPROJECT,
    SharedPackage,
    read_shared_package,
)
from slipway.errors import SlipwayError
from slipway.unchanged import remembered


@dataclass(frozen=True)
class SharedRequirement:
    """A line of a ``requirements.txt`` that names a package of the repository by its path."""

    line: PathRequirement
    package: SharedPackage

    @property
    def extras(self) -> str:
        """Return the extras in brackets; empty without any."""
        return f"[{','.join(sorted(self.line.extras))}]" if self.line.extras else ""

    def located_at(self, url: str) -> str:
        """Return the requirement with another location: ``name[extra] @ url ; marker``."""
        marker = f" ; {self.line.marker}" if self.line.marker else ""
        return f"{self.package.name}{self.extras} @ {url}{marker}"

    def normalised(self, requirements: Path) -> str:
        """Return one spelling for every way to write the line, with what the package requires.

        A lock is current as long as this is the same: the package's own code may change.
        """
        requires = ", ".join(self.package.requires(self.line.extras))
        return f"{self.located_at(relative_url(self.package, requirements))} requires ({requires})"


def relative_url(package: SharedPackage, requirements: Path) -> str:
    """Return ``file:`` and the path from the folder of ``requirements``, as the lock has it."""
    return f"file:{_relative(package.folder, requirements)}"


@remembered
def find_shared(requirements: Path) -> tuple[SharedRequirement, ...]:
    """Return the packages of the repository that ``requirements`` names, in the file's order.

    Raises:
        SlipwayError: a path is outside of the repository or no package, its name is another one, or
            it needs a package of the repository that is not named.
    """
    lines = read_requirement_lines(requirements)
    shared = tuple(
        SharedRequirement(line, _package(line, requirements))
        for line in lines
        if isinstance(line, PathRequirement)
    )
    others = _packages_beside(shared, requirements)
    by_path = {requirement.package.name for requirement in shared}
    for line in lines:
        name = (
            canonicalize_name(line.requirement.name) if isinstance(line, NamedRequirement) else ""
        )
        if name in others:
            path = _relative(others[name], requirements)
            raise SlipwayError(
                f"{name} is a package of this repository, and would come from the index",
                where=f"{requirements}:{line.number}",
                fix="remove the line" if name in by_path else f"write {path} instead",
            )
    for requirement in shared:
        for text in requirement.package.requires(requirement.line.extras):
            name = canonicalize_name(Requirement(text).name)
            if name in others and name not in by_path:
                raise SlipwayError(
                    f"{requirement.package.name} needs {name}, a package of this repository, which"
                    " would come from the index",
                    where=f"{requirements}:{requirement.line.number}",
                    fix=f"add the line {_relative(others[name], requirements)}",
                )
    return shared


def named_folders(requirements: Path) -> tuple[Path, ...]:
    """Return the folders that ``requirements`` names by path, right or wrong ones."""
    try:
        lines = read_requirement_lines(requirements)
    except (OSError, SlipwayError):
        return ()  # building the model says what is wrong
    return tuple(
        folder_of(line, requirements) for line in lines if isinstance(line, PathRequirement)
    )


def folder_of(line: PathRequirement, file: Path) -> Path:
    """Return the folder that a line of ``file`` names, as a path like that of ``file``."""
    return Path(os.path.normpath(file.parent / line.path))


def _package(line: PathRequirement, requirements: Path) -> SharedPackage:
    where = f"{requirements}:{line.number}"
    folder = folder_of(line, requirements)
    root = repository_root(requirements.parent)
    resolved = folder.resolve()
    if root and Path(line.path).is_absolute() and resolved.is_relative_to(root):
        raise SlipwayError(
            f"{line.path} begins at the root of this machine: a pipeline has no such path",
            where=where,
            fix=f"write {_relative(resolved, requirements)}",
        )
    if root is None or resolved == root or not resolved.is_relative_to(root):
        raise SlipwayError(
            f"{line.path} is not a folder inside the repository: a pipeline has no such path",
            where=where,
            fix=f"move the package to {FOLDER}/{folder.name}, and write"
            f" ../../{FOLDER}/{folder.name}",
        )
    if folder.is_file():
        raise SlipwayError(
            f"{line.path} is a file, not the folder of a package",
            where=where,
            fix="name the folder of its sources, or upload the file to your package index and name"
            " the package",
        )
    if not (folder / PYPROJECT).is_file():
        missing = f"has no {PYPROJECT}" if folder.is_dir() else "does not exist"
        raise SlipwayError(
            f"{line.path} {missing}",
            where=where,
            fix=f"correct the path, which begins at {requirements.parent}; or add"
            f" {os.path.relpath(resolved, root)}/{PYPROJECT}",
        )
    package = read_shared_package(folder)
    if line.name and canonicalize_name(line.name) != package.name:
        raise SlipwayError(
            f"the package in {line.path} is named {package.name!r}, not {line.name!r}",
            where=where,
            fix=f"write {package.name} @ file:{line.path}",
        )
    return package


def _packages_beside(shared: Iterable[SharedRequirement], requirements: Path) -> dict[str, Path]:
    """Return the folders of the repository's packages, named or not, by their names.

    A name among them must never be asked of an index: whoever owns it there would get their code
    into the artifact.
    """
    root = repository_root(requirements.parent)
    parents = {requirement.package.folder.parent for requirement in shared}
    packages: dict[str, Path] = {}
    for parent in (*([root / FOLDER] if root else []), *sorted(parents)):
        packages |= _packages_in(parent)
    return packages


@remembered
def _packages_in(parent: Path) -> dict[str, Path]:
    packages: dict[str, Path] = {}
    for file in sorted(parent.glob(f"*/{PYPROJECT}")):
        try:
            packages[read_shared_package(file.parent).name] = file.parent
        except SlipwayError:
            continue  # an error where it is named
    return packages


def _relative(folder: Path, requirements: Path) -> str:
    return Path(os.path.relpath(folder.resolve(), requirements.parent.resolve())).as_posix()
