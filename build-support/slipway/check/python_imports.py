"""The imports of Python models, and what of the model's own they find."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from slipway.check.python_code import Code, PythonModel, imported

# what Python appends to the name of a module's file
SUFFIXES = (".py", ".so", ".pyc", ".cpython-*.so", ".abi3.so")


@dataclass(frozen=True)
class Import:
    """An import that runs when the model does: the dotted ``name`` after ``level`` dots."""

    code: Code
    node: ast.Import | ast.ImportFrom
    name: str
    level: int

    @property
    def top(self) -> str:
        """The first part of the name."""
        return self.name.partition(".")[0]


def imports(model: PythonModel) -> Iterator[Import]:
    """The imports of a model's modules, without those that it can do without."""
    for code in model.codes:
        for node, name, level in imported(code.tree):
            if not _may_fail(code, node):
                yield Import(code, node, name, level)


def first(imports: Iterator[Import]) -> Iterator[Import]:
    """One import for each statement and top-level module."""
    seen = set()
    for each in imports:
        key = (each.code.path, each.node.lineno, each.node.col_offset, each.level, each.top)
        if key not in seen and (each.name or each.level):
            seen.add(key)
            yield each


def _may_fail(code: Code, node: ast.AST) -> bool:
    """Whether the code is ready for the import to fail, or never runs it on a server."""
    child = node
    while child in code.parents:
        around = code.parents[child]
        if isinstance(around, ast.Try) and (child in around.body or child in around.orelse):
            caught = {
                each.id
                for handler in around.handlers
                for each in ast.walk(handler.type or ast.Name("Exception"))
                if isinstance(each, ast.Name)
            }
            if caught & {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}:
                return True
        # the second choice of the same
        if isinstance(around, ast.ExceptHandler):
            return True
        if isinstance(around, ast.If):
            test = ast.unparse(around.test)
            if "TYPE_CHECKING" in test or "__name__" in test or "sys." in test:
                return True
        child = around
    return False


def is_local(each: Import, model: PythonModel) -> bool:
    """Whether the model has a module of that name where the stub looks for modules."""
    own = each.code.path
    version = model.config.directory / own.relative_to(model.config.directory).parts[0]
    return is_module(version, each.top) or is_module(model.config.directory, each.top)


def is_module(folder: Path, name: str) -> bool:
    for path in folder.iterdir():
        if path.name == name and path.is_dir() and any(path.iterdir()):
            return True
        if path.name.startswith(f"{name}."):
            if any(fnmatchcase(path.name, f"{name}{suffix}") for suffix in SUFFIXES):
                return True
    return False
