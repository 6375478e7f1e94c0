"""The imports of a Python module, and the files of a model that they resolve to."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from slipway.check.python.code import PythonCode
from slipway.check.python_file import KEPT_TREES
from slipway.check.syntax_index import SyntaxIndex
from slipway.unchanged import remembered

# what Python appends to the name of a module's file
SUFFIXES = (".py", ".so", ".pyc", ".cpython-*.so", ".abi3.so")


@dataclass(frozen=True)
class Import:
    """An import that runs when the model does: the dotted ``name`` after ``level`` dots."""

    code: PythonCode
    node: ast.Import | ast.ImportFrom
    name: str
    level: int

    @property
    def top(self) -> str:
        """Return the first part of the name."""
        return self.name.partition(".")[0]


@lru_cache(maxsize=KEPT_TREES)
def imports_in(index: SyntaxIndex) -> Sequence[tuple[ast.Import | ast.ImportFrom, str, int]]:
    """Return every import of a module: the statement, the dotted name, its level of dots.

    ``from a import b`` imports ``a``, and ``a.b``, which may be a module as well.
    """
    return [
        (node, name, level)
        for node in index.of(ast.Import, ast.ImportFrom)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name, level in names_in(node)
    ]


def names_in(node: ast.Import | ast.ImportFrom) -> list[tuple[str, int]]:
    """Return the dotted names that one statement imports, each with its level of dots."""
    if isinstance(node, ast.Import):
        return [(alias.name, 0) for alias in node.names]
    module = node.module or ""
    parts = [f"{module}.{alias.name}".lstrip(".") for alias in node.names]
    return [(name, node.level) for name in (module, *parts)]


def required_imports(sources: Iterable[PythonCode]) -> Iterator[Import]:
    """Yield the imports of a model's modules, one for each statement and top-level module.

    Imports whose failure the code handles are left out.
    """
    seen: set[Path] = set()
    for code in sources:
        if code.path not in seen:
            seen.add(code.path)
            yield from (Import(code, *found) for found in _required_in(code.index))


@lru_cache(maxsize=KEPT_TREES)
def _required_in(index: SyntaxIndex) -> list[tuple[ast.Import | ast.ImportFrom, str, int]]:
    first: dict[tuple[int, int, int, str], tuple[ast.Import | ast.ImportFrom, str, int]] = {}
    for node, name, level in imports_in(index):
        if (name or level) and not _may_fail(index.parents, node):
            key = (node.lineno, node.col_offset, level, name.partition(".")[0])
            first.setdefault(key, (node, name, level))
    return list(first.values())


def is_local(statement: Import, directory: Path) -> bool:
    """Return whether the model in ``directory`` has this module where the stub looks for it."""
    parts = statement.code.path.parts[len(directory.parts) :]
    # a module next to the config is imported by those of any version
    folders = (directory / parts[0], directory) if len(parts) > 1 else (directory,)
    return any(has_module(folder, statement.top) for folder in folders)


def has_module(folder: Path, name: str) -> bool:
    """Return whether a folder holds the module or package ``name``."""
    for entry in _names_in(folder):
        if entry == name and (folder / name).is_dir() and _names_in(folder / name):
            return True
        if entry.startswith(f"{name}.") and any(
            fnmatchcase(entry, f"{name}{suffix}") for suffix in SUFFIXES
        ):
            return True
    return False


@remembered
def _names_in(folder: Path) -> list[str]:
    return os.listdir(folder)


def _may_fail(parents: Mapping[ast.AST, ast.AST], node: ast.AST) -> bool:
    """Return whether the code handles a failed import, or never runs it on a server."""
    child = node
    while child in parents:
        parent = parents[child]
        if isinstance(parent, ast.Try) and (child in parent.body or child in parent.orelse):
            caught = {
                name.id
                for handler in parent.handlers
                for name in ast.walk(handler.type or ast.Name("Exception"))
                if isinstance(name, ast.Name)
            }
            if caught & {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}:
                return True
        # the alternative after a failed import
        if isinstance(parent, ast.ExceptHandler):
            return True
        if isinstance(parent, ast.If):
            test = ast.unparse(parent.test)
            if "TYPE_CHECKING" in test or "__name__" in test or "sys." in test:
                return True
        child = parent
    return False
