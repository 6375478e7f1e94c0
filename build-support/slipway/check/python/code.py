"""Facts about one Python module, taken from its syntax tree: names, calls and constants."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from slipway.check.finding import Location
from slipway.check.python_file import KEPT_TREES, PythonFile
from slipway.check.syntax_index import SyntaxIndex

UTILS = "triton_python_backend_utils"


@dataclass(eq=False)
class PythonCode:
    """One module that parses.

    ``names`` maps the names that its imports bind to their origins. ``constants`` maps the names of
    its string constants, ``NAME`` or ``self.NAME``, to their values.
    """

    path: Path
    tree: ast.Module
    index: SyntaxIndex
    names: Mapping[str, str]
    constants: Mapping[str, str]

    @property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """Return the parent of each node."""
        return self.index.parents

    def location(self, node: ast.expr | ast.stmt) -> Location:
        """Return the location of a node."""
        return Location(self.path, node.lineno, node.col_offset + 1)

    def text(self, node: ast.expr | None) -> str | None:
        """Return the string value of an expression; ``None`` if it cannot be determined."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        return self.constants.get(dotted(node)) if node is not None else None

    def origin(self, node: ast.expr) -> str:
        """Return the full name: ``pb_utils.Tensor`` → ``triton_python_backend_utils.Tensor``."""
        return _origin(node, self.names)

    def calls(self, *names: str) -> Iterator[tuple[str, ast.Call]]:
        """Yield the calls of these functions of Triton's utilities, with the function's name."""
        for name, node in _utility_calls(self.index):
            if name in names:
                yield name, node

    def function_of(self, node: ast.AST) -> ast.AST:
        """Return the innermost function that contains a node, otherwise the module."""
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                return node
        return self.tree

    @cached_property
    def generators(self) -> set[ast.AST]:
        """Return the functions whose call returns a generator."""
        return {self.function_of(node) for node in self.index.of(ast.Yield, ast.YieldFrom)}

    @cached_property
    def shared_names(self) -> set[str]:
        """Return the variables that functions change outside of themselves."""
        return {name for node in self.index.of(ast.Global, ast.Nonlocal) for name in node.names}

    @cached_property
    def attribute_stores(self) -> dict[str, set[ast.AST]]:
        """Return the attributes that the module sets, with the functions that do it."""
        stores: dict[str, set[ast.AST]] = {}
        for node in self.index.of(ast.Attribute):
            if not isinstance(node.ctx, ast.Load):
                stores.setdefault(node.attr, set()).add(self.function_of(node))
        return stores

    def values_assigned(self, name: str, scope: ast.AST) -> list[ast.expr]:
        """Return the values that plain assignments in ``scope`` give to the variable ``name``."""
        return self.index.within(scope).assigned.get(name, [])


def analyse(file: PythonFile) -> PythonCode:
    """Return the facts about a module, which must parse."""
    assert file.tree is not None
    return PythonCode(file.path, file.tree, file.index, *_names_and_constants(file.index))


@lru_cache(maxsize=KEPT_TREES)
def _names_and_constants(index: SyntaxIndex) -> tuple[Mapping[str, str], Mapping[str, str]]:
    names: dict[str, str] = {}
    for node in index.of(ast.Import, ast.ImportFrom):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                names[name] = alias.name if alias.asname else name
        elif not node.level:
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    bindings = Counter(_bound_names(index))
    strings = _string_assignments(index)
    return names, {name: value for name, value in strings if bindings[name] == 1}


@lru_cache(maxsize=KEPT_TREES)
def _utility_calls(index: SyntaxIndex) -> list[tuple[str, ast.Call]]:
    prefix, (names, _) = f"{UTILS}.", _names_and_constants(index)
    calls = ((_origin(node.func, names), node) for node in index.of(ast.Call))
    return [(name.removeprefix(prefix), node) for name, node in calls if name.startswith(prefix)]


def _origin(node: ast.expr, names: Mapping[str, str]) -> str:
    written = dotted(node)
    first, dot, rest = written.partition(".")
    full = names.get(first)
    return written if full is None else f"{full}{dot}{rest}"


def argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    """Return the argument at ``position`` or named ``name``; ``None`` if it is not explicit."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    positional = call.args[: position + 1]
    if len(positional) <= position or any(isinstance(arg, ast.Starred) for arg in positional):
        return None
    return positional[position]


def dotted(node: ast.expr) -> str:
    """Return a name or a chain of attributes as it is written; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        prefix = dotted(node.value)
        return f"{prefix}.{node.attr}" if prefix else ""
    return ""


def _bound_names(index: SyntaxIndex) -> Iterator[str]:
    """Yield each name as often as it is bound; one that is bound once is a constant."""
    for node in index.of(ast.Name, ast.Attribute):
        if isinstance(node.ctx, ast.Store):
            yield dotted(node)
            if isinstance(node, ast.Name):
                yield f"self.{node.id}"
    for argument in index.of(ast.arg):
        yield argument.arg


def _string_assignments(index: SyntaxIndex) -> Iterator[tuple[str, str]]:
    """Yield strings with their names, in the module, in a class, or as an attribute of self."""
    for node in index.of(ast.Module, ast.ClassDef, ast.FunctionDef):
        prefix = "self." if isinstance(node, ast.ClassDef) else ""
        for statement in node.body:
            if not isinstance(statement, ast.Assign | ast.AnnAssign):
                continue
            value = statement.value
            if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
                continue
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                yield prefix + dotted(target), value.value
