"""Whether each name of a module is bound where it is used, as far as a glance can tell.

pyflakes follows all of Python's scopes, and takes longer than every other rule. What is certain
without it needs no second look: a parameter, a variable that an earlier statement of the same
function binds, or a name in a function that a statement of the module binds.
"""

from __future__ import annotations

import ast
import builtins
from typing import Any

from slipway.check.syntax_index import SyntaxIndex

BUILTINS = frozenset(dir(builtins)) | {"__file__"}
# what binds and unbinds names in ways that are not followed here
UNUSUAL = (ast.Delete, ast.Global, ast.Nonlocal, ast.Match, ast.TypeAlias)

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
CHAINED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module, ast.ExceptHandler)


def all_certainly_bound(index: SyntaxIndex) -> bool:
    """Return whether every name of a module is certainly bound; False says nothing about it."""
    if index.of(*UNUSUAL) or any(alias.name == "*" for alias in index.of(ast.alias)):
        return False
    bindings = _Bindings(index)
    augmented = {id(node.target) for node in index.of(ast.AugAssign)}
    return all(
        bindings.are_certain(node)
        for name, nodes in index.names.items()
        if name not in BUILTINS or name in bindings.unbound
        for node in nodes
        if isinstance(node.ctx, ast.Load) or id(node) in augmented
    )


class _Bindings:
    """The statements that bind each name, by the scope in which they do.

    ``unbound`` are names that an ``except`` binds, and unbinds at its end.
    """

    def __init__(self, index: SyntaxIndex) -> None:
        self.parents = index.parents
        self.by_scope: dict[tuple[ast.AST, str], list[ast.stmt]] = {}
        self.unbound = {handler.name for handler in index.of(ast.ExceptHandler)} - {None}
        self._chains: dict[ast.stmt, tuple[ast.AST, ...]] = {}
        self._parameters: dict[ast.AST, set[str]] = {}
        # `x: int` binds nothing
        declared = {id(node.target) for node in index.of(ast.AnnAssign) if node.value is None}
        for node in index.of(ast.Name):
            if isinstance(node.ctx, ast.Store) and id(node) not in declared:
                self._add(node, node.id)
        for statement in index.of(ast.Import, ast.ImportFrom):
            for alias in statement.names:
                self._add(statement, alias.asname or alias.name.partition(".")[0])
        for definition in index.of(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
            self._add(definition, definition.name)

    def are_certain(self, use: ast.Name) -> bool:
        """Return whether the name is certainly bound when its use is evaluated."""
        name = use.id
        # a function's body runs after the statements around it, all others in their order
        in_order, in_comprehension = True, False
        grandchild: ast.AST = use
        child: ast.AST = use
        while not isinstance(child, ast.stmt):
            parent = self.parents[child]
            if parent.__class__ in COMPREHENSIONS:
                in_comprehension = True
                if name in _targets(parent, child, grandchild):
                    return True
            elif isinstance(parent, ast.Lambda) and child is parent.body:
                if name in self._parameters_of(parent) and name not in self.unbound:
                    return True
                in_order = False
            grandchild, child = child, parent
        around: list[ast.AST] = []  # classes, which are bound after their bodies
        for scope in self._chain(child):
            if isinstance(scope, ast.ExceptHandler):
                if scope.name == name:
                    return in_order
            elif isinstance(scope, ast.ClassDef):
                visible = in_order and not in_comprehension
                if visible and self._binds(scope, name, child, around):
                    return True
                around += [scope] if in_order else []
            else:
                if name in self._parameters_of(scope) and name not in self.unbound:
                    return True
                if self._binds(scope, name, child if in_order else None, around):
                    return True
                in_order = False
        return False

    def _binds(
        self, scope: ast.AST, name: str, before: ast.stmt | None, around: list[ast.AST]
    ) -> bool:
        """Return whether the scope binds the name, in an earlier statement than ``before``."""
        bound = self.by_scope.get((scope, name), ())
        if not bound or name in self.unbound:
            return False
        if before is None:
            return True
        here = before.lineno, before.col_offset
        return any(
            (other.lineno, other.col_offset) < here and other not in around for other in bound
        )

    def _add(self, node: ast.AST, name: str) -> None:
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
            if isinstance(node, ast.comprehension | ast.Lambda):
                return  # a variable of its own
        scope = next(s for s in self._chain(node) if not isinstance(s, ast.ExceptHandler))
        self.by_scope.setdefault((scope, name), []).append(node)

    def _chain(self, statement: ast.stmt) -> tuple[ast.AST, ...]:
        """Return the functions, classes and handlers around a statement, and the module."""
        chain = self._chains.get(statement)
        if chain is None:
            parent = self.parents[statement]
            outer: tuple[ast.AST, ...] = ()
            if isinstance(parent, ast.stmt):
                outer = self._chain(parent)
            elif not isinstance(parent, ast.Module):
                above = self.parents[parent]  # of an except, a case
                assert isinstance(above, ast.stmt)
                outer = self._chain(above)
            chain = (parent, *outer) if isinstance(parent, CHAINED) else outer
            self._chains[statement] = chain
        return chain

    def _parameters_of(self, scope: ast.AST) -> set[str]:
        names = self._parameters.get(scope)
        if names is None:
            names = _parameters(scope)
            self._parameters[scope] = names
        return names


def _parameters(scope: ast.AST) -> set[str]:
    if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return set()
    given = scope.args
    some = (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg)
    return {argument.arg for argument in some if argument is not None}


def _targets(scope: Any, child: ast.AST, grandchild: ast.AST) -> set[str]:
    """Return the variables of a comprehension that are bound where its child is evaluated."""
    generators = scope.generators
    if isinstance(child, ast.comprehension):
        at = generators.index(child)
        generators = generators[: at + 1 if grandchild in child.ifs else at]
    return {
        node.id
        for generator in generators
        for node in ast.walk(generator.target)
        if isinstance(node, ast.Name)
    }
