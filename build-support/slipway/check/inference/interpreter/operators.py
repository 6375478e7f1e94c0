"""Operators and comparisons of values."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from slipway.check.inference import numpy
from slipway.check.inference.interpreter.conditions import Conditions
from slipway.check.inference.kinds import is_open
from slipway.check.inference.objects import (
    POSITIVE,
    Tensor,
    is_none,
)
from slipway.check.inference.values import (
    ABSENT,
    UNKNOWN,
    Array,
    Scalar,
    ScalarKind,
    Value,
    members,
)

SYMBOLS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.USub: "-",
    ast.UAdd: "+",
    ast.Invert: "~",
}
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
NUMERIC = ("bool", "int", "float", "complex")
FOLDED = {"+": operator.add, "-": operator.sub, "*": operator.mul}
LARGEST = 10**9  # of numbers that are computed


class Operators(Conditions):
    """Computes operators."""

    def operate(self, symbol: str, left: Value, right: Value, node: ast.AST) -> Value:
        """Return the result of an operator."""

        def both(one: Value) -> Value:
            return self.each(right, lambda other: self._operate(symbol, one, other, node))

        return self.each(left, both)

    def refuse_tensor(self, value: Value, node: ast.AST, use: str) -> None:
        """Note the use of a Tensor as if it was its array; ``use`` is what it cannot do."""
        if isinstance(value, Tensor) and isinstance(node, ast.expr):
            fix = "compute with its array: .as_numpy()"
            self.fail("attribute", node, f"a Tensor {use}", fix, value)

    def _operate(self, symbol: str, left: Value, right: Value, node: ast.AST) -> Value:
        for side in (left, right):
            self.refuse_tensor(side, node, f"has no operator {symbol}")
        if isinstance(left, Array) or isinstance(right, Array):
            operands = self.resolve(left), self.resolve(right)
            return numpy.operator(symbol, *operands, numpy_2=self.numpy_2)
        if isinstance(left, Scalar) and isinstance(right, Scalar):
            return _scalars(symbol, left, right)
        if isinstance(left, Scalar) and left.kind in ("str", "bytes") and symbol == "%":
            return Scalar(left.kind)
        return self.operate_sequences(symbol, left, right, node)

    numpy_2: bool | None = None

    def _compare(self, op: ast.cmpop, left: Value, right: Value) -> Value:
        if isinstance(op, ast.Is | ast.IsNot | ast.Eq | ast.NotEq):
            equal = self._is_same(left, right, is_identity=isinstance(op, ast.Is | ast.IsNot))
            if equal is not None:
                return Scalar("bool", equal is isinstance(op, ast.Is | ast.Eq))
        if isinstance(op, ast.Is | ast.IsNot):
            return Scalar("bool")
        if isinstance(op, ast.In | ast.NotIn):
            contained = self.contains(right, left)
            return Scalar(
                "bool", ABSENT if contained is None else (contained is isinstance(op, ast.In))
            )
        symbol = SYMBOLS[type(op)]
        if isinstance(left, Array) or isinstance(right, Array):
            operands = self.resolve(left), self.resolve(right)
            return self.each(
                operands[0],
                lambda one: self.each(
                    operands[1],
                    lambda other: numpy.operator(symbol, one, other, numpy_2=self.numpy_2),
                ),
            )
        if isinstance(left, Scalar) and isinstance(right, Scalar):
            pair = left.value, right.value
            if pair[0] is POSITIVE:
                outcome = POSITIVE.compared(symbol, pair[1])
                return Scalar("bool", ABSENT if outcome is None else outcome)
            if ABSENT not in pair and POSITIVE not in pair:
                try:
                    return Scalar("bool", bool(COMPARISONS[symbol](*pair)))
                except TypeError:
                    return UNKNOWN
            return Scalar("bool")
        return UNKNOWN

    def _is_same(self, left: Value, right: Value, *, is_identity: bool) -> bool | None:
        """Return whether two values are the same where one may be None."""
        if is_none(right):
            left, right = right, left
        if is_none(left):
            nones = {is_none(member) for member in members(right)}
            if right is UNKNOWN or len(nones) > 1 or any(map(is_open, members(right))):
                return None
            if nones == {True}:
                return True
            return None if isinstance(right, Array) and not is_identity else False
        return None


def _scalars(symbol: str, left: Scalar, right: Scalar) -> Value:
    """Return the result of an operator on two Python scalars."""
    if left.kind == right.kind and left.kind in ("str", "bytes"):
        if symbol == "+" and isinstance(left.value, str) and isinstance(right.value, str):
            return Scalar("str", left.value + right.value)
        return Scalar(left.kind) if symbol in "+%" else UNKNOWN
    if left.kind in ("str", "bytes"):
        return Scalar(left.kind) if symbol in "*%" else UNKNOWN
    if left.kind not in NUMERIC or right.kind not in NUMERIC:
        return UNKNOWN
    kinds = {left.kind, right.kind}
    kind: ScalarKind = "int"
    if "complex" in kinds:
        kind = "complex"
    elif "float" in kinds or symbol == "/":
        kind = "float"
    elif symbol == "**":
        return UNKNOWN  # a float for a negative exponent
    elif symbol in "&|^" and kinds == {"bool"}:
        kind = "bool"
    pair = left.value, right.value
    if kind == "int" and symbol in FOLDED and all(isinstance(each, int) for each in pair):
        number = FOLDED[symbol](*pair)
        return Scalar("int", number) if abs(number) < LARGEST else Scalar("int")
    return Scalar(kind)
