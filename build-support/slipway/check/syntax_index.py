"""The nodes of a syntax tree, walked once: by type, by name, by function and by parent."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cached_property
from typing import Any, overload

# fields whose value is no node, or one that Python shares among all trees: contexts and operators
_LEAVES = frozenset({"attr", "ctx", "id", "kind", "level", "module", "op", "ops", "type_comment"})

_fields: dict[type[ast.AST], tuple[str, ...]] = {}

type Function = ast.FunctionDef | ast.AsyncFunctionDef


class SyntaxIndex:
    """The nodes of a tree. All rules share it, and a second question costs nothing.

    Every list has the order of ``ast.walk``, and is not to be changed. Contexts (``ast.Load``) and
    operators (``ast.Add``) are left out.
    """

    def __init__(self, root: ast.AST) -> None:
        self.root = root
        self.nodes: list[ast.AST] = [root]
        self.parents: dict[ast.AST, ast.AST] = {}
        self._by_type: dict[type[ast.AST], list[Any]] = {}
        self._by_types: dict[tuple[type[ast.AST], ...], list[Any]] = {}
        self._within: dict[ast.AST, SyntaxIndex] = {}
        self._walk()

    @overload
    def of[A: ast.AST](self, first: type[A], /) -> list[A]: ...
    @overload
    def of[A: ast.AST, B: ast.AST](self, first: type[A], second: type[B], /) -> list[A | B]: ...
    @overload
    def of[A: ast.AST, B: ast.AST, C: ast.AST](
        self, first: type[A], second: type[B], third: type[C], /
    ) -> list[A | B | C]: ...
    @overload
    def of(self, *types: type[ast.AST]) -> list[Any]: ...

    def of(self, *types: type[ast.AST]) -> list[Any]:
        """Return the nodes of these types, which may be base classes such as ``ast.expr``."""
        found = self._by_types.get(types)
        if found is None:
            kinds = {kind for kind in self._by_type if issubclass(kind, types)}
            if len(kinds) > 1:
                found = [node for node in self.nodes if node.__class__ in kinds]
            else:
                found = self._by_type[kinds.pop()] if kinds else []
            self._by_types[types] = found
        return found

    def within(self, scope: ast.AST) -> SyntaxIndex:
        """Return the index of ``scope`` and what is below it, such as a function of the module."""
        if scope is self.root:
            return self
        if scope not in self._within:
            self._within[scope] = SyntaxIndex(scope)
        return self._within[scope]

    @cached_property
    def names(self) -> dict[str, list[ast.Name]]:
        """Return the uses and bindings of each variable, by its name."""
        return _grouped((node.id, node) for node in self.of(ast.Name))

    @cached_property
    def attributes(self) -> dict[str, list[ast.Attribute]]:
        """Return the uses of each attribute, by its name: ``append`` → every ``x.append``."""
        return _grouped((node.attr, node) for node in self.of(ast.Attribute))

    @cached_property
    def functions(self) -> dict[str, list[Function]]:
        """Return the functions and methods, by their names."""
        nodes = self.of(ast.FunctionDef, ast.AsyncFunctionDef)
        return _grouped((node.name, node) for node in nodes)

    @cached_property
    def assigned(self) -> dict[str, list[ast.expr]]:
        """Return the values that plain assignments give to each variable, by its name."""
        return _grouped(
            (name, node.value)
            for node in self.of(ast.Assign)
            for name in {target.id for target in node.targets if isinstance(target, ast.Name)}
        )

    def _walk(self) -> None:
        nodes, parents, by_type = self.nodes, self.parents, self._by_type
        for node in nodes:  # grows while it is walked
            kind = node.__class__
            if kind in by_type:
                by_type[kind].append(node)
            else:
                by_type[kind] = [node]
            for name in _child_fields(kind):
                child: Any = getattr(node, name, None)
                if child.__class__ is list:
                    for item in child:
                        if isinstance(item, ast.AST):
                            parents[item] = node
                            nodes.append(item)
                elif isinstance(child, ast.AST):
                    parents[child] = node
                    nodes.append(child)


def _child_fields(kind: type[ast.AST]) -> tuple[str, ...]:
    if kind not in _fields:
        _fields[kind] = tuple(name for name in kind._fields if name not in _LEAVES)
    return _fields[kind]


def _grouped(pairs: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for name, node in pairs:
        groups.setdefault(name, []).append(node)
    return groups
