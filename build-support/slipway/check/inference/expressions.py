"""Expressions, without calls."""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable
from typing import Any

from slipway.check.inference import numpy
from slipway.check.inference.attributes import Attributes
from slipway.check.inference.containers import Containers
from slipway.check.inference.objects import (
    Class,
    Coroutine,
    DictContent,
    External,
    Function,
    OwnModule,
    Reference,
    Request,
    Response,
    ResponseSender,
    Tensor,
    is_none,
    sequence_of,
)
from slipway.check.inference.values import (
    ABSENT,
    NONE,
    UNKNOWN,
    Array,
    Opaque,
    Scalar,
    ScalarKind,
    Sequence,
    Union,
    Value,
    members,
)

BUILTINS = set(dir(builtins))
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


class Expressions(Containers, Attributes):
    """Evaluates expressions."""

    def evaluate(self, node: ast.expr) -> Value:
        """Return the value of an expression."""
        self.step()
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
            return Scalar("str", ABSENT if value.value is ABSENT else str(value.value))
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

    def operate(self, symbol: str, left: Value, right: Value, node: ast.AST) -> Value:
        """Return the result of an operator."""

        def both(one: Value) -> Value:
            return self.each(right, lambda other: self._operate(symbol, one, other, node))

        return self.each(left, both)

    def _operate(self, symbol: str, left: Value, right: Value, node: ast.AST) -> Value:
        if isinstance(left, Array) or isinstance(right, Array):
            operands = self.resolve(left), self.resolve(right)
            return numpy.operator(symbol, *operands, numpy_2=self.numpy_2)
        if isinstance(left, Scalar) and isinstance(right, Scalar):
            return _scalars(symbol, left, right)
        if isinstance(left, Scalar) and left.kind in ("str", "bytes") and symbol == "%":
            return Scalar(left.kind)
        return self.operate_sequences(symbol, left, right, node)

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
        return UNKNOWN

    numpy_2: bool | None = None

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
            results.append(self._compare(op, left, right))
            left = right
        if len(results) == 1:
            return results[0]
        known = {result.value for result in results if isinstance(result, Scalar)}
        return Scalar("bool", known == {True}) if known <= {True, False} else Scalar("bool")

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
            if ABSENT not in pair:
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
            if right is UNKNOWN or len(nones) > 1:
                return None
            if nones == {True}:
                return True
            return None if isinstance(right, Array) and not is_identity else False
        return None

    # conditions

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
            literal = self.constant(other)
            self._replace(target, lambda value: literal if literal in members(value) else value)
        else:
            self._forget_nones(test)

    def _forget_nones(self, test: ast.expr) -> None:
        """Forget that variables may be None that are part of a test that is not followed."""
        for node in ast.walk(test):
            if isinstance(node, ast.Name):
                value = self.state.variables.get(node.id)
                if value is not None and any(map(is_none, members(value))):
                    self.state.variables[node.id] = UNKNOWN

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


ALWAYS_TRUE = (Tensor, Request, Response, ResponseSender, Function, Class, External, OwnModule)
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
