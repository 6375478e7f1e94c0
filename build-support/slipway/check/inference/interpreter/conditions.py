"""Conditions: what is true, and what a test says about variables."""

from __future__ import annotations

import ast
from collections.abc import Callable

from slipway.check.inference.interpreter.attributes import Attributes
from slipway.check.inference.interpreter.containers import Containers
from slipway.check.inference.objects import (
    Class,
    Function,
    OwnModule,
    Reference,
    Request,
    Response,
    ResponseSender,
    Tensor,
    is_none,
)
from slipway.check.inference.triton_config import TritonConfig
from slipway.check.inference.values import (
    ABSENT,
    NONE,
    UNKNOWN,
    Scalar,
    Sequence,
    Union,
    Value,
    members,
)

ALWAYS_TRUE = (Tensor, Request, Response, ResponseSender, Function, Class, OwnModule)


class Conditions(Containers, Attributes):
    """Decides conditions."""

    def __init__(self, config: TritonConfig) -> None:
        super().__init__(config)
        self._test_names: dict[ast.expr, list[str]] = {}  # of tests

    def truth(self, value: Value) -> bool | None:
        """Return whether a value counts as true; ``None`` if it is not known."""
        found = {self._truth(member) for member in members(value)}
        return found.pop() if len(found) == 1 else None

    def _truth(self, value: Value) -> bool | None:
        if isinstance(value, Scalar):
            return None if value.value is ABSENT else bool(value.value)
        if is_none(value):
            return False
        if isinstance(value, Sequence | Reference):
            return self.has_items(value)
        return True if isinstance(value, ALWAYS_TRUE) else None

    def narrow(self, value: Value, outcome: bool) -> Value:
        """Return those alternatives of a value that count as true, or as false."""
        kept = [member for member in members(value) if self._truth(member) in (None, outcome)]
        return self.joined(kept) if kept else value

    def assume(self, test: ast.expr, outcome: bool) -> None:
        """Narrow variables by the outcome of a test."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            self.assume(test.operand, not outcome)
        elif isinstance(test, ast.BoolOp):
            if isinstance(test.op, ast.And) is outcome:
                for value in test.values:
                    self.assume(value, outcome)
            else:
                self._forget_nones(test)
        elif isinstance(test, ast.Compare) and len(test.ops) == 1:
            self._assume_comparison(test, outcome)
        elif isinstance(test, ast.NamedExpr):
            self._replace(test.target, lambda value: self.narrow(value, outcome))
        elif isinstance(test, ast.Name | ast.Attribute):
            self._replace(test, lambda value: self.narrow(value, outcome))
        elif isinstance(test, ast.Call) and test.args and _asks_for_type(test.func):
            self._replace(
                test.args[0],
                lambda value: UNKNOWN if outcome or isinstance(value, Union) else value,
            )
        else:
            self._forget_nones(test)

    def _assume_comparison(self, test: ast.Compare, outcome: bool) -> None:
        op, target, other = test.ops[0], test.left, test.comparators[0]
        if isinstance(target, ast.NamedExpr):
            target = target.target
        is_equal = isinstance(op, ast.Is | ast.Eq)
        negative = isinstance(op, ast.IsNot | ast.NotEq)
        if (is_equal or negative) and isinstance(other, ast.Constant) and other.value is None:
            wanted = is_equal is outcome

            def kept(value: Value) -> Value:
                if value is UNKNOWN:
                    return NONE if wanted else UNKNOWN
                found = [member for member in members(value) if is_none(member) is wanted]
                return self.joined(found) if found else value

            self._replace(target, kept)
        elif is_equal and outcome and isinstance(other, ast.Constant):
            literal = self.evaluate(other)
            self._replace(target, lambda value: literal if literal in members(value) else value)
        else:
            self._forget_types(test)
            self._forget_nones(test)

    def _forget_types(self, test: ast.Compare) -> None:
        """Forget what variables are of whose types a test asks."""
        for side in (test.left, *test.comparators):
            if not isinstance(side, ast.Call) or not isinstance(side.func, ast.Name):
                continue
            if side.func.id == "type" and side.args:
                self._replace(side.args[0], lambda value: UNKNOWN)

    def _forget_nones(self, test: ast.expr) -> None:
        """Forget that variables may be None that are part of a test that is not followed."""
        names = self._test_names.get(test)
        if names is None:
            names = [node.id for node in ast.walk(test) if isinstance(node, ast.Name)]
            self._test_names[test] = names
        variables = self.state.variables
        for name in names:
            value = variables.get(name)
            if value is not None and any(map(is_none, members(value))):
                variables[name] = UNKNOWN

    def _replace(self, target: ast.expr, change: Callable[[Value], Value]) -> None:
        if isinstance(target, ast.Name):
            value = self.state.variables.get(target.id)
            if value is not None:
                self.state.variables[target.id] = change(value)
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            value = self.state.attributes.get(target.attr)
            if value is not None and target.value.id == "self":
                self.state.attributes[target.attr] = change(value)


def _asks_for_type(function: ast.expr) -> bool:
    return isinstance(function, ast.Name) and function.id in ("isinstance", "hasattr", "callable")
