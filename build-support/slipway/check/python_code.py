"""Facts about one Python module, taken from its syntax tree: names, calls and constants."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from slipway.check.finding import Location
from slipway.check.model_under_check import PythonFile

UTILS = "triton_python_backend_utils"


@dataclass
class PythonCode:
    """One module that parses.

    ``names`` maps the names that its imports bind to their origins. ``constants`` maps the names of
    its string constants, ``NAME`` or ``self.NAME``, to their values.
    """

    path: Path
    tree: ast.Module
    names: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Return every node of the module, walked once."""
        return list(ast.walk(self.tree))

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """Return the parent of each node."""
        return {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}

    def location(self, node: ast.expr | ast.stmt) -> Location:
        """Return the location of a node."""
        return Location(self.path, node.lineno, node.col_offset + 1)

    def text(self, node: ast.expr | None) -> str | None:
        """Return the string value of an expression; ``None`` if it cannot be determined."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        return self.constants.get(_dotted(node)) if node is not None else None

    def origin(self, node: ast.expr) -> str:
        """Return the full name: ``pb_utils.Tensor`` → ``triton_python_backend_utils.Tensor``."""
        first, _, rest = _dotted(node).partition(".")
        full = self.names.get(first, first)
        return f"{full}.{rest}" if rest else full

    def calls(self, *names: str) -> Iterator[tuple[str, ast.Call]]:
        """Yield the calls of these functions of Triton's utilities, with the function's name."""
        for origin, node in self._calls:
            name = origin.removeprefix(f"{UTILS}.")
            if name in names and origin != name:
                yield name, node

    @cached_property
    def _calls(self) -> list[tuple[str, ast.Call]]:
        calls = (node for node in self.nodes if isinstance(node, ast.Call))
        return [(self.origin(node.func), node) for node in calls]

    def function_of(self, node: ast.AST) -> ast.AST:
        """Return the innermost function that contains a node, otherwise the module."""
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                return node
        return self.tree

    def values_assigned(self, name: str, scope: ast.AST) -> list[ast.expr]:
        """Return the values that plain assignments in ``scope`` give to the variable ``name``."""
        return [
            node.value
            for node in ast.walk(scope)
            if isinstance(node, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
        ]


def analyse(file: PythonFile) -> PythonCode:
    """Return the facts about a module, which must parse."""
    assert file.tree is not None
    code = PythonCode(file.path, file.tree)
    bindings: dict[str, int] = {}
    for node in code.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                code.names[name] = alias.name if alias.asname else name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            code.names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        for target in _targets(node):
            bindings[target] = bindings.get(target, 0) + 1
    for name, value in _string_assignments(code.nodes):
        if bindings.get(name) == 1:
            code.constants[name] = value
    return code


def argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    """Return the argument at ``position`` or named ``name``; ``None`` if it is not explicit."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    positional = call.args[: position + 1]
    if len(positional) <= position or any(isinstance(arg, ast.Starred) for arg in positional):
        return None
    return positional[position]


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        prefix = _dotted(node.value)
        return f"{prefix}.{node.attr}" if prefix else ""
    return ""


def _targets(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node binds; a name that is bound once is a constant."""
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield _dotted(node)
        if isinstance(node, ast.Name):
            yield f"self.{node.id}"
    elif isinstance(node, ast.arg):
        yield node.arg


def _string_assignments(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Yield strings with their names, in the module, in a class, or as an attribute of self."""
    for node in nodes:
        prefix = "self." if isinstance(node, ast.ClassDef) else ""
        has_body = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        for statement in getattr(node, "body", ()) if has_body else ():
            if not isinstance(statement, ast.Assign | ast.AnnAssign):
                continue
            value = statement.value
            if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
                continue
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                yield prefix + _dotted(target), value.value
