"""The packages of the repository that a model shares, as its code imports them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.code import PythonCode, analyse
from slipway.check.python.imports import Import, has_module, required_imports
from slipway.check.python.model import python_models
from slipway.check.python_file import parse_python
from slipway.environment.shared.package import PYPROJECT
from slipway.environment.shared.requirements import find_shared
from slipway.environment.shared.sources import source_files
from slipway.errors import SlipwayError

SOURCES = "src"
# at the root of a package without src/, these are no modules of it
NO_MODULES = {"setup.py", "conftest.py", "noxfile.py"}


@dataclass(frozen=True)
class SharedCode:
    """A package's files; ``root`` is the folder from which its ``modules`` are imported."""

    root: Path
    pyproject: Path
    modules: frozenset[str]

    def file_of(self, name: str) -> Path | None:
        """Return the file of the module ``name``, or ``None``."""
        path = self.root.joinpath(*name.split("."))
        candidates = (path / "__init__.py", path.with_name(f"{path.name}.py"))
        return next((file for file in candidates if file.is_file()), None)


@lru_cache(maxsize=1)  # for the folder under check
def shared_code(model: ModelUnderCheck) -> tuple[SharedCode, ...]:
    """Return the packages of the repository that a model's requirements name; none if malformed."""
    if not model.requirements.is_file():
        return ()
    try:
        folders = [shared.package.folder for shared in find_shared(model.requirements)]
        return tuple(_read(folder) for folder in folders)
    except SlipwayError:
        return ()  # another rule reports the requirement


def shared_imports(model: ModelUnderCheck) -> Iterator[tuple[SharedCode, Import]]:
    """Yield the imports in those files of shared packages that the model reaches."""
    waiting = [
        statement for python in python_models(model) for statement in _absolute(python.sources)
    ]
    seen: set[Path] = set()
    for statement in waiting:  # grows while it is walked
        for code in shared_code(model):
            if statement.top not in code.modules:
                continue
            for file in _files_on_the_way(code, statement.name):
                parsed = parse_python(file) if file not in seen else None
                seen.add(file)
                if parsed is None or parsed.tree is None:
                    continue
                for found in required_imports([analyse(parsed)]):
                    if found.level:
                        found = _as_absolute(code, found)
                    elif found.top not in code.modules:
                        yield code, found
                    waiting.append(found)


def missing_modules(model: ModelUnderCheck) -> Iterator[tuple[SharedCode, Import]]:
    """Yield imports of modules that a shared package does not have."""
    for python_model in python_models(model):
        for statement in _absolute(python_model.sources):
            for code in shared_code(model):
                if statement.top in code.modules and not _exists(code, _module_of(statement)):
                    yield code, statement


def _read(folder: Path) -> SharedCode:
    names = [Path(name) for name in source_files(folder)]
    in_src = any(name.parts[0] == SOURCES for name in names)
    root = folder / SOURCES if in_src else folder
    paths = (
        [Path(*name.parts[1:]) for name in names if name.parts[0] == SOURCES] if in_src else names
    )
    modules = {
        path.parts[0].removesuffix(".py")
        for path in paths
        if path.suffix == ".py" and (in_src or path.name not in NO_MODULES)
    }
    return SharedCode(root, folder / PYPROJECT, frozenset(modules))


def _absolute(sources: tuple[PythonCode, ...]) -> list[Import]:
    return [statement for statement in required_imports(sources) if not statement.level]


def _files_on_the_way(code: SharedCode, name: str) -> list[Path]:
    """Return the files that run when ``name`` is imported: a package before its module."""
    parts = name.split(".")
    files = (code.file_of(".".join(parts[:end])) for end in range(1, len(parts) + 1))
    return [file for file in files if file is not None]


def _as_absolute(code: SharedCode, found: Import) -> Import:
    package = found.code.path.relative_to(code.root).parts[: -found.level]
    return Import(found.code, found.node, ".".join([*package, *filter(None, [found.name])]), 0)


def _module_of(statement: Import) -> str:
    """Return the part of an import that has to be a module: ``a.b`` of ``from a.b import c``."""
    if isinstance(statement.node, ast.ImportFrom):
        return statement.node.module or ""
    return statement.name


def _exists(code: SharedCode, name: str) -> bool:
    *packages, last = name.split(".")
    return has_module(code.root.joinpath(*packages), last) if _is_folder(code, packages) else False


def _is_folder(code: SharedCode, packages: list[str]) -> bool:
    return code.root.joinpath(*packages).is_dir()
