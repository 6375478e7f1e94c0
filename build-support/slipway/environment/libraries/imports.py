"""The files that importing a package loads in any case, found without executing its code.

Only statements that run whenever the module is imported are followed: not those in functions, and
not those in a ``try`` that handles the failure of an import.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

MODULE = re.compile(
    r"(?P<path>[\w/]+?)(?P<package>/__init__)?(\.(?P<tag>cpython-\d+|abi3)[^./]*)?\.(?P<kind>py|so)"
)
HANDLING = {"ImportError", "ModuleNotFoundError", "OSError", "Exception", "BaseException"}


def imported_files(site: Mapping[str, Path], tag: str) -> frozenset[str]:
    """Return the files of ``site`` that importing its top-level packages loads in any case.

    ``site`` has the files of ``site-packages`` by their names in it; with ``tag`` begins that of
    the interpreter's extension modules ("cpython-312").
    """
    modules = _modules(site, tag)
    waiting = [module for module in modules if "." not in module]
    loaded: dict[str, str] = {}
    while waiting:
        module = waiting.pop()
        if module in loaded or module not in modules:
            continue
        name = loaded[module] = modules[module]
        if name.endswith(".py"):
            package = module if name.endswith("/__init__.py") else module.rpartition(".")[0]
            waiting += _imported_modules(site[name], package)
    return frozenset(loaded.values())


def _modules(site: Iterable[str], tag: str) -> dict[str, str]:
    """Return the file of each module; as in Python's search, packages come before the others."""
    found: dict[str, tuple[int, str]] = {}
    for name in site:
        match = MODULE.fullmatch(name)
        if match and match["tag"] in (None, "abi3", tag):
            rank = (0 if match["package"] else 1 if match["kind"] == "so" else 2, name)
            module = match["path"].replace("/", ".")
            found[module] = min(rank, found.get(module, rank))
    return {module: name for module, (_, name) in found.items()}


def _imported_modules(path: Path, package: str) -> Iterator[str]:
    """Yield the modules that a module imports in any case, and their parents."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of strings with unknown escapes
            tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    for statement in _unconditional(tree.body):
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                yield from _with_parents(alias.name)
        elif isinstance(statement, ast.ImportFrom):
            parents = package.split(".")
            parents = parents[: len(parents) - statement.level + 1] if statement.level else []
            base = ".".join([*parents, *([statement.module] if statement.module else [])])
            yield from _with_parents(base)
            for alias in statement.names:
                yield f"{base}.{alias.name}"


def _unconditional(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in statements:
        yield statement
        if isinstance(statement, ast.With | ast.ClassDef):
            yield from _unconditional(statement.body)
        elif isinstance(statement, ast.Try) and not any(map(_handles, statement.handlers)):
            yield from _unconditional([*statement.body, *statement.finalbody])


def _handles(handler: ast.ExceptHandler) -> bool:
    """Return whether the handler goes on after a failed import; one that only raises does not."""
    if isinstance(handler.body[-1], ast.Raise):
        return False
    names = {node.id for node in ast.walk(handler.type or handler) if isinstance(node, ast.Name)}
    return handler.type is None or bool(names & HANDLING)


def _with_parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    yield from (".".join(parts[: end + 1]) for end in range(len(parts)) if module)
