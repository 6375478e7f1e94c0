"""Write ``requirements.txt`` from the imports of models, and lock it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from slipway.adopt.environments import installed_versions, named_environment
from slipway.adopt.files import ENVIRONMENT
from slipway.adopt.plan import PlannedFolder, PlannedModel
from slipway.adopt.steps import Step
from slipway.check.model_repository import ModelRepository
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.imports import Import, is_local, required_imports
from slipway.check.python.known_modules import OWN, distributions_of
from slipway.check.python.model import python_models
from slipway.environment import modules
from slipway.errors import SlipwayError
from slipway.scaffold import render
from slipway.scaffold.from_template import KINDS
from slipway.scaffold.locks import provide_lock
from slipway.settings import Settings

NUMPY = "numpy==1.26.*"  # the newest that every release's stub works with
# a line of a requirements file, or of conda's list of packages
LISTED = re.compile(
    r"^\s*(?:-\s*)?([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?\s*(?:={1,3}\s*([0-9][\w.+!]*)|[<>~!;#@]|$)"
)
LISTS = ("requirements*.txt", "environment*.y*ml", "conda*.y*ml")
HEADING = "# what the models import, as slipway adopt read it\n"


@dataclass(frozen=True)
class Package:
    """A distribution that provides a module; ``others`` provide it, too."""

    name: str
    module: str
    others: tuple[str, ...]
    version: str | None

    def line(self, *, pinned: bool) -> str:
        """Return its line of ``requirements.txt``."""
        notes = []
        if self.others:
            notes.append(f"for {self.module}: a guess, others are {', '.join(self.others)}")
        elif canonicalize_name(self.module) != self.name:
            notes.append(f"for {self.module}")
        version = ""
        if self.version is not None:
            version = f"=={self.version}" if pinned else ""
            notes.append(f"the source has {self.version}")
        return f"{self.name}{version}" + (f"  # {'; '.join(notes)}" if notes else "") + "\n"


def add_local_modules(folder: Path, source: Path, settings: Settings) -> list[Path]:
    """Copy modules that models import from elsewhere in the source into their version directories.

    Returns the copies. A module is copied if the source has exactly one of its name.
    """
    copied: list[Path] = []
    for _ in range(10):  # what is copied may import more
        missing = [
            (statement, directory, found)
            for statement, directory in _unresolved(folder, settings)
            if not distributions_of(statement.name)
            and (found := _in_source(statement.top, source)) is not None
        ]
        for statement, directory, found in missing:
            version = directory / statement.code.path.relative_to(directory).parts[0]
            target = (version if version.is_dir() else directory) / found.name
            if found.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", ".*")
                shutil.copytree(found, target, ignore=ignored, dirs_exist_ok=True)
            else:
                shutil.copyfile(found, target)
            copied.append(target)
        if not missing:
            break
    return copied


def write_requirements(
    folder: Path, planned: PlannedFolder, source: Path, settings: Settings
) -> list[Step]:
    """Write and lock the requirements of a folder's Python models; return what is left to do.

    Versions are those of a shipped environment, or of the source's list of requirements, if the
    configured Python has them; else the newest.
    """
    target = folder / "requirements.txt"
    if not planned.python_models:
        return []
    versions = _versions(planned, source)
    packages: dict[str, Package] = {}
    steps: list[Step] = []
    for statement, _ in _unresolved(folder, settings):
        found = distributions_of(statement.name)
        if not found and canonicalize_name(statement.top) in versions:
            found = (canonicalize_name(statement.top),)
        if not found:
            steps.append(_unknown(statement, planned.name))
            continue
        name = next((name for name in found if canonicalize_name(name) in versions), found[0])
        others = () if canonicalize_name(name) in versions else tuple(found[1:])
        version = versions.get(canonicalize_name(name))
        packages.setdefault(name, Package(name, statement.top, others, version))
    packages.pop("numpy", None)
    sorted_packages = [packages[name] for name in sorted(packages)]
    problem = None
    for pinned in dict.fromkeys([any(package.version for package in sorted_packages), False]):
        lines = [HEADING, f"{NUMPY}\n", *(p.line(pinned=pinned) for p in sorted_packages)]
        target.write_text("".join(lines), encoding="utf-8")
        problem = _lock(target, settings)
        if problem is None:
            break
    if problem is not None:
        what = f"its packages cannot be locked: {problem.what.splitlines()[0]}"
        fix = f"correct requirements.txt, then slipway lock {planned.name}"
        steps.append(
            Step(planned.name, what, str(target.with_name("requirements.lock")), fix, "SW603")
        )
    # one module, imported by several models, is one step
    return list({step.what: step for step in reversed(steps)}.values())[::-1]


def _lock(requirements: Path, settings: Settings) -> SlipwayError | None:
    try:
        # the locks of the samples need no package index
        provide_lock(requirements, settings, *map(render.lock_of, ("onnx", *KINDS)))
    except SlipwayError as error:
        return error
    return None


def _unresolved(folder: Path, settings: Settings) -> Iterator[tuple[Import, Path]]:
    """Yield the imports that neither Python, nor Triton, nor the model itself resolves."""
    python_models.cache_clear()  # the folder's files have changed
    known = modules.standard_library(settings.python) | OWN | {"__future__"}
    model = ModelUnderCheck(folder, ModelRepository(settings))
    for python_model in python_models(model):
        directory = python_model.config.directory
        for statement in required_imports(python_model.sources):
            if statement.level or statement.top in known or modules.is_left_out(statement.top):
                continue
            if not is_local(statement, directory):
                yield statement, directory
    python_models.cache_clear()


def _in_source(module: str, source: Path) -> Path | None:
    """Return the only file or package of the source with a module's name."""
    found = [
        path
        for path in (*source.rglob(f"{module}.py"), *source.rglob(f"{module}/__init__.py"))
        if not any(
            part.startswith(".") or part == "site-packages"
            for part in path.relative_to(source).parts
        )
    ]
    folders = [path.parent if path.name == "__init__.py" else path for path in found]
    return folders[0] if len(folders) == 1 else None


def _unknown(statement: Import, folder: str) -> Step:
    return Step(
        folder,
        f"no package is known that has the module {statement.top!r}",
        str(statement.code.location(statement.node)),
        f"add the package that has it to requirements.txt, then slipway lock {folder};"
        " or copy the module next to model.py",
        "SW522",
    )


def _versions(planned: PlannedFolder, source: Path) -> dict[str, str | None]:
    """Return the packages that the source lists or ships, by canonical names, with versions."""
    versions: dict[str, str | None] = {}
    for model in planned.models:
        directory = model.source.directory
        for folder in dict.fromkeys((source, directory.parent, directory)):
            versions |= _listed(folder)
    for model in planned.models:
        for environment in _environments(model):
            versions |= installed_versions(environment)
    return versions


def _environments(model: PlannedModel) -> set[Path]:
    shipped = {file.path.resolve() for file in model.files if file.reason == ENVIRONMENT}
    named = named_environment(model.source)
    return shipped if named is None else {*shipped, named}


def _listed(folder: Path) -> Mapping[str, str | None]:
    """Return the packages that a folder's lists name, with versions where these are exact."""
    found: dict[str, str | None] = {}
    for pattern in LISTS:
        for path in sorted(folder.glob(pattern)):
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                match = LISTED.match(line)
                if match:
                    found[canonicalize_name(match[1])] = match[2]
    return found
