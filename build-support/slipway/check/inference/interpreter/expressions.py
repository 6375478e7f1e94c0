"""Expressions, without calls."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from typing import Any

from slipway.check.inference import numpy
from slipway.check.inference.interpreter.machine import STEPS, GivenUp
from slipway.check.inference.interpreter.operators import NUMERIC, SYMBOLS, Operators
from slipway.check.inference.objects import (
    Coroutine,
    DictContent,
    External,
    Function,
    sequence_of,
)
from slipway.check.inference.values import (
    ABSENT,
    NONE,
    UNKNOWN,
    Array,
    Opaque,
    Scalar,
    Sequence,
    Value,
)

BUILTINS = set(dir(builtins))


class Expressions(Operators):
    """Evaluates expressions."""

    def evaluate(self, node: ast.expr) -> Value:
        """Return the value of an expression."""
        self.steps += 1
        if self.steps > STEPS:
            raise GivenUp
        handler = EXPRESSIONS.get(type(node))
        return UNKNOWN if handler is None else handler(self, node)

    def constant(self, node: ast.Constant) -> Value:
        """Return the value of a literal."""
        value = node.value
        if value is None:
            return NONE
        if value is Ellipsis:
            return Opaque("ellipsis")
        kind: Any = type(value).__name__
        return Scalar(kind, value, node)

    def name(self, node: ast.Name) -> Value:
        """Return the value of a variable."""
        if node.id in self.frame.code.shared_names:
            return UNKNOWN
        value = self.frame.find(node.id)
        if value is not None:
            return value
        return External(node.id) if node.id in BUILTINS else UNKNOWN

    def attribute_node(self, node: ast.Attribute) -> Value:
        """Return the value of an attribute."""
        value = self.evaluate(node.value)
        self.note_missing(value, node)
        return self.each(value, lambda member: self.attribute(member, node.attr, node))

    def subscript(self, node: ast.Subscript) -> Value:
        """Return an item."""
        value, index = self.evaluate(node.value), self.evaluate(node.slice)
        self.note_missing(value, node)
        return self.each(value, lambda member: self.item(member, index, node))

    def slice_node(self, node: ast.Slice) -> Value:
        """Return a slice."""
        for part in (node.lower, node.upper, node.step):
            if part is not None:
                self.evaluate(part)
        return Opaque("slice")

    def list_node(self, node: ast.List) -> Value:
        """Return a list."""
        return self.new_list(self.elements(node.elts), node)

    def tuple_node(self, node: ast.Tuple) -> Value:
        """Return a tuple."""
        found = self.elements(node.elts)
        return Sequence(found.items, found.element, "tuple")

    def elements(self, nodes: list[ast.expr]) -> Sequence:
        """Return the values of expressions, of which some may be starred."""
        items: list[Value] = []
        known = True
        for node in nodes:
            if isinstance(node, ast.Starred):
                sequence = self.content(self.evaluate(node.value))
                if sequence is None or sequence.items is None:
                    known = False
                    items.append(UNKNOWN if sequence is None else sequence.element)
                else:
                    items += sequence.items
            else:
                items.append(self.evaluate(node))
        found = sequence_of(tuple(items))
        return found if known else Sequence(None, found.element)

    def dict_node(self, node: ast.Dict) -> Value:
        """Return a dict."""
        items: dict[object, Value] = {}
        others: Value | None = None
        for key, value in zip(node.keys, node.values, strict=True):
            found = self.evaluate(value)
            name = None if key is None else self.evaluate(key)
            if isinstance(name, Scalar) and name.value is not ABSENT:
                items[name.value] = found
            else:
                others = UNKNOWN
        return self.new_dict(DictContent(items, others), node)

    def set_node(self, node: ast.Set) -> Value:
        """Return a set."""
        self.elements(node.elts)
        return Opaque("set")

    def text_node(self, node: ast.JoinedStr) -> Value:
        """Return a formatted text."""
        parts = [self.evaluate(part) for part in node.values]
        texts = [part.value for part in parts if isinstance(part, Scalar) and part.kind == "str"]
        if len(texts) == len(parts) and all(isinstance(text, str) for text in texts):
            return Scalar("str", "".join(map(str, texts)), node)
        return Scalar("str")

    def formatted(self, node: ast.FormattedValue) -> Value:
        """Return the text of an expression in a formatted text."""
        value = self.evaluate(node.value)
        if isinstance(value, Scalar) and value.kind in ("str", "int") and node.format_spec is None:
            is_known = isinstance(value.value, str | int)
            return Scalar("str", str(value.value) if is_known else ABSENT)
        return Scalar("str")

    def named(self, node: ast.NamedExpr) -> Value:
        """Return the value of ``name := …``."""
        value = self.evaluate(node.value)
        self.state.variables[node.target.id] = value
        return value

    def lambda_node(self, node: ast.Lambda) -> Value:
        """Return a function."""
        return Function(node, self.frame)

    def awaited(self, node: ast.Await) -> Value:
        """Return the result of a coroutine."""
        value = self.evaluate(node.value)
        return self.each(
            value, lambda each: each.result if isinstance(each, Coroutine) else UNKNOWN
        )

    def yielded(self, node: ast.Yield | ast.YieldFrom) -> Value:
        """Return what is sent to a generator."""
        if node.value is not None:
            self.expose([self.evaluate(node.value)])
        return UNKNOWN

    # operators

    def binary(self, node: ast.BinOp) -> Value:
        """Return the result of an operator with two operands."""
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        return self.operate(SYMBOLS[type(node.op)], left, right, node)

    def unary(self, node: ast.UnaryOp) -> Value:
        """Return the result of an operator with one operand."""
        value = self.evaluate(node.operand)
        if isinstance(node.op, ast.Not):
            truth = self.truth(value)
            return Scalar("bool", ABSENT if truth is None else not truth)
        if isinstance(value, Scalar) and value.kind in NUMERIC:
            if isinstance(node.op, ast.USub) and isinstance(value.value, int | float):
                return Scalar("int" if value.kind == "bool" else value.kind, -value.value)
            return Scalar("int" if value.kind == "bool" else value.kind)
        if isinstance(value, Array):
            return numpy.unary_operator(SYMBOLS[type(node.op)], value, numpy_2=self.numpy_2)
        self.refuse_tensor(value, node, f"has no operator {SYMBOLS[type(node.op)]}")
        return UNKNOWN

    def boolean(self, node: ast.BoolOp) -> Value:
        """Return the result of ``and`` or ``or``."""
        return self._boolean(node, 0)

    def _boolean(self, node: ast.BoolOp, position: int) -> Value:
        value = self.evaluate(node.values[position])
        if position == len(node.values) - 1:
            return value
        stops = isinstance(node.op, ast.Or)
        truth = self.truth(value)
        if truth is stops:
            return value

        def rest() -> Value:
            self.assume(node.values[position], not stops)
            return self._boolean(node, position + 1)

        def stopped() -> Value:
            self.assume(node.values[position], stops)
            return self.narrow(value, stops)

        return rest() if truth is not None else self.fork([rest, stopped])

    def chosen(self, node: ast.IfExp) -> Value:
        """Return the result of ``a if test else b``."""
        truth = self.truth(self.evaluate(node.test))

        def branch(outcome: bool) -> Value:
            self.assume(node.test, outcome)
            return self.evaluate(node.body if outcome else node.orelse)

        if truth is not None:
            return branch(truth)
        return self.fork([lambda: branch(True), lambda: branch(False)])

    def comparison(self, node: ast.Compare) -> Value:
        """Return the result of comparisons."""
        left = self.evaluate(node.left)
        results: list[Value] = []
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.evaluate(comparator)
            if isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
                self.refuse_tensor(left, node, f"has no operator {SYMBOLS[type(op)]}")
            results.append(self._compare(op, left, right))
            left = right
        if len(results) == 1:
            return results[0]
        known = {result.value for result in results if isinstance(result, Scalar)}
        return Scalar("bool", known == {True}) if known <= {True, False} else Scalar("bool")

    # conditions


EXPRESSIONS: dict[type[ast.expr], Callable[[Any, Any], Value]] = {
    ast.Constant: Expressions.constant,
    ast.Name: Expressions.name,
    ast.Attribute: Expressions.attribute_node,
    ast.Subscript: Expressions.subscript,
    ast.Slice: Expressions.slice_node,
    ast.List: Expressions.list_node,
    ast.Tuple: Expressions.tuple_node,
    ast.Dict: Expressions.dict_node,
    ast.Set: Expressions.set_node,
    ast.JoinedStr: Expressions.text_node,
    ast.FormattedValue: Expressions.formatted,
    ast.NamedExpr: Expressions.named,
    ast.Lambda: Expressions.lambda_node,
    ast.Await: Expressions.awaited,
    ast.Yield: Expressions.yielded,
    ast.YieldFrom: Expressions.yielded,
    ast.BinOp: Expressions.binary,
    ast.UnaryOp: Expressions.unary,
    ast.BoolOp: Expressions.boolean,
    ast.IfExp: Expressions.chosen,
    ast.Compare: Expressions.comparison,
}
