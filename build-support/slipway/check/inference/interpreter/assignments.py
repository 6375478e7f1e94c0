"""Assignments."""

from __future__ import annotations

import ast

from slipway.check.inference.interpreter.calls import Calls
from slipway.check.inference.interpreter.operators import SYMBOLS
from slipway.check.inference.objects import (
    Instance,
    Reference,
)
from slipway.check.inference.values import (
    Arguments,
    Array,
    Sequence,
    Value,
    members,
)


class Assignments(Calls):
    """Executes assignments."""

    def expression(self, node: ast.Expr) -> None:
        """Evaluate an expression."""
        self.evaluate(node.value)

    def assign(self, node: ast.Assign) -> None:
        """Bind a value to targets."""
        value = self.evaluate(node.value)
        for target in node.targets:
            self.bind(target, value)

    def annotated(self, node: ast.AnnAssign) -> None:
        """Bind a value to a target with a type."""
        if node.value is not None:
            self.bind(node.target, self.evaluate(node.value))

    def augmented(self, node: ast.AugAssign) -> None:
        """Change a target by an operator."""
        target = node.target
        old = self.evaluate(_as_load(target))
        value = self.evaluate(node.value)
        symbol = SYMBOLS[type(node.op)]
        if symbol == "+" and isinstance(old, Reference) and self.content(old) is not None:
            self.container_method(old, "extend", Arguments((value,)), node)
            return
        if isinstance(old, Array) and not old.is_scalar:
            return  # in place: the type stays
        self.bind(target, self.operate(symbol, old, value, node))

    def bind(self, target: ast.expr, value: Value) -> None:
        """Bind a value to a target."""
        if isinstance(target, ast.Name):
            self.state.variables[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            self._unpack(target.elts, value)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, self.new_list(Sequence(), target))
        elif isinstance(target, ast.Attribute):
            owner = self.evaluate(target.value)
            self.hand_on(Arguments((value,)))
            for member in members(owner):
                if isinstance(member, Instance) and self.is_model(member):
                    self.state.attributes[target.attr] = value
        elif isinstance(target, ast.Subscript):
            container = self.evaluate(target.value)
            self.hand_on(Arguments((value,)))
            self.store_item(container, self.evaluate(target.slice), value)

    def _unpack(self, targets: list[ast.expr], value: Value) -> None:
        parts = self.iterate_all(value)
        if isinstance(value, Array):
            parts = Sequence(None, parts.element)
        exact = parts.items is not None and len(parts.items) == len(targets)
        starred = any(isinstance(target, ast.Starred) for target in targets)
        for number, target in enumerate(targets):
            if exact and parts.items is not None and not starred:
                self.bind(target, parts.items[number])
            else:
                self.bind(target, parts.element)

    def delete(self, node: ast.Delete) -> None:
        """Delete variables."""
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.state.variables.pop(target.id, None)
            elif isinstance(target, ast.Subscript):
                self.expose([self.evaluate(target.value)])


def _as_load(target: ast.expr) -> ast.expr:
    """Return the expression that reads a target; evaluation ignores its context."""
    return target
