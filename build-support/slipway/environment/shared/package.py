"""A package of the repository: a folder with a ``pyproject.toml``, such as ``libs/words``.

Its metadata is read where PyPA's specification of ``pyproject.toml`` puts it, without running any
of its code: what a lock depends on has to be known without a build.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from slipway.errors import SlipwayError
from slipway.unchanged import remembered

PYPROJECT = "pyproject.toml"
FOLDER = "libs"
EXAMPLE = '[project]\nname = "{name}"\nversion = "0.1.0"\ndependencies = []'


@dataclass(frozen=True)
class SharedPackage:
    """A folder with a ``pyproject.toml``; names are canonical, as PyPA's specification has them."""

    folder: Path
    name: str
    requires_python: str
    dependencies: tuple[str, ...]
    extras: Mapping[str, tuple[str, ...]]

    def requires(self, extras: Iterable[str]) -> tuple[str, ...]:
        """Return its sorted requirements with these ``extras``, and the Python that it needs.

        Raises:
            SlipwayError: it has no extra of that name.
        """
        required = set(self.dependencies)
        for extra in extras:
            if canonicalize_name(extra) not in self.extras:
                raise SlipwayError(
                    f"{self.name} has no extra {extra!r}",
                    where=str(self.folder / PYPROJECT),
                    fix=f"remove [{extra}] from requirements.txt, or add it to"
                    " [project.optional-dependencies]",
                )
            required |= set(self.extras[canonicalize_name(extra)])
        python = [f"python{self.requires_python}"] if self.requires_python else []
        return (*python, *sorted(required))


@remembered
def read_shared_package(folder: Path) -> SharedPackage:
    """Read the package in ``folder``.

    Raises:
        SlipwayError: there is no ``pyproject.toml``, it is malformed, or it leaves its dependencies
            to be computed.
    """
    file = folder / PYPROJECT
    fix = f"begin it with:\n{EXAMPLE.format(name=folder.name)}"
    try:
        project = tomllib.loads(file.read_text(encoding="utf-8")).get("project")
    except FileNotFoundError as error:
        raise SlipwayError(f"there is no {PYPROJECT}", where=str(folder), fix=fix) from error
    except ValueError as error:
        raise SlipwayError(
            f"not valid TOML: {error}", where=str(file), fix="correct the line named above"
        ) from error
    if not isinstance(project, dict) or not isinstance(project.get("name"), str):
        raise SlipwayError("[project] has no name", where=str(file), fix=fix)
    computed = {"dependencies", "optional-dependencies"} & set(project.get("dynamic", ()))
    if computed:
        raise SlipwayError(
            f"its {' and '.join(sorted(computed))} are dynamic: only a build would tell them",
            where=str(file),
            fix="write them into [project], and remove them from `dynamic`",
        )
    extras: Mapping[str, Any] = project.get("optional-dependencies", {})
    return SharedPackage(
        folder=folder,
        name=canonicalize_name(project["name"]),
        requires_python=str(project.get("requires-python", "")).replace(" ", ""),
        dependencies=_normalised(project.get("dependencies", ()), file),
        extras={canonicalize_name(name): _normalised(extras[name], file) for name in extras},
    )


def _normalised(requirements: Iterable[str], file: Path) -> tuple[str, ...]:
    lines = []
    for text in requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise SlipwayError(
                f"{text!r} is not a requirement",
                where=str(file),
                fix="write it as in requirements.txt, such as numpy<2",
            ) from error
        requirement.name = canonicalize_name(requirement.name)
        lines.append(str(requirement))
    return tuple(sorted(lines))
