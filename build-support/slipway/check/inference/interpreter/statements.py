"""Statements: assignments, conditions, exceptions, definitions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from slipway.check.inference.interpreter.definitions import Definitions
from slipway.check.inference.interpreter.machine import PathEnds
from slipway.check.inference.state import Returned, State, join_states
from slipway.check.inference.values import (
    NONE,
    UNKNOWN,
    Array,
    Opaque,
)

# exceptions after which code goes on with something else, because it expects them
EXPECTED = {"AttributeError", "TypeError", "TritonModelException"}
SUPPRESS = "contextlib.suppress"


class Statements(Definitions):
    """Executes statements, without loops."""

    def block(self, statements: Iterable[ast.stmt]) -> bool:
        """Execute statements; return whether the code goes on after them."""
        caught = self.frame.caught
        for statement in statements:
            self.step()
            try:
                goes_on = self._execute(statement)
            except PathEnds:
                self.frame.raises = True
                goes_on = False
            if caught:
                caught[-1] = join_states(caught[-1], self.state)
            if not goes_on:
                return False
        return True

    def _execute(self, statement: ast.stmt) -> bool:
        handler = STATEMENTS.get(type(statement))
        return True if handler is None else handler(self, statement) is not False

    # assignments

    # ways to leave

    def returned(self, node: ast.Return) -> bool:
        """Leave the function."""
        value = NONE if node.value is None else self.evaluate(node.value)
        self.frame.returns.append(Returned(node, value, self.state, bool(self.frame.batches)))
        return False

    def raised(self, node: ast.Raise) -> bool:
        """Leave with an exception."""
        if node.exc is not None:
            self.evaluate(node.exc)
        self.frame.raises = True
        return False

    def asserted(self, node: ast.Assert) -> bool:
        """Go on if a test is true."""
        truth = self.truth(self.evaluate(node.test))
        if truth is None:
            self.frame.raises = True
            self.state.certain = False
        self.assume(node.test, True)
        return truth is not False

    def condition(self, node: ast.If) -> bool:
        """Execute one of two blocks."""
        truth = self.truth(self.evaluate(node.test))
        if truth is not None:
            self.assume(node.test, truth)
            return self.block(node.body if truth else node.orelse)
        before = self.state
        certain = before.certain
        ends: list[State] = []
        for outcome, body in ((True, node.body), (False, node.orelse)):
            self.state = before.copy()
            self.state.certain = False
            self.assume(node.test, outcome)
            if self.block(body):
                ends.append(self.state)
        if ends:
            self.merge(ends, certain=certain and len(ends) == 2)
        return bool(ends)

    def matched(self, node: ast.Match) -> bool:
        """Execute one of several blocks."""
        self.evaluate(node.subject)
        before = self.state
        ends: list[State] = []
        exhaustive = False
        for case in node.cases:
            self.state = before.copy()
            self.state.certain = False
            for part in ast.walk(case.pattern):
                name = getattr(part, "name", None) or getattr(part, "rest", None)
                if isinstance(name, str):
                    self.state.variables[name] = UNKNOWN
            exhaustive |= (
                isinstance(case.pattern, ast.MatchAs)
                and case.pattern.pattern is None
                and (case.guard is None)
            )
            if self.block(case.body):
                ends.append(self.state)
        if not exhaustive:
            ends.append(before)
        if ends:
            certain = before.certain and len(ends) == len(node.cases) + (not exhaustive)
            self.merge(ends, certain=certain)
        return bool(ends)

    # exceptions and contexts

    def tried(self, node: ast.Try | ast.TryStar) -> bool:
        """Execute a block, and one of its handlers if it fails."""
        expected = any(_expects(handler) for handler in node.handlers)
        certain = self.state.certain
        self.frame.caught.append(self.state.copy())
        self.quiet += expected
        raises = self.frame.raises
        try:
            goes_on = self.block(node.body)
        finally:
            self.quiet -= expected
            failed = self.frame.caught.pop()
        if node.handlers:
            self.frame.raises = raises
        if goes_on:
            goes_on = self.block(node.orelse)
        ends = [self.state] if goes_on else []
        for handler in node.handlers:
            self.state = failed.copy()
            self.state.certain = False
            self.state.handling = True
            if handler.name:
                self.state.variables[handler.name] = Opaque("exception")
            if self.block(handler.body):
                ends.append(self.state)
        if ends:
            self.merge(ends, certain=certain)
            self.state.handling = all(state.handling for state in ends)
        else:
            self.state = failed.copy()
        return self.block(node.finalbody) and bool(ends)

    def with_block(self, node: ast.With | ast.AsyncWith) -> bool:
        """Execute a block in contexts."""
        suppresses = False
        for item in node.items:
            value = self.evaluate(item.context_expr)
            call = item.context_expr
            suppresses |= isinstance(call, ast.Call) and (
                self.frame.code.origin(call.func) == SUPPRESS
            )
            if item.optional_vars is not None:
                self.bind(item.optional_vars, UNKNOWN if not isinstance(value, Array) else value)
        if not suppresses:
            return self.block(node.body)
        before = self.state.copy()
        with self.quietly():
            goes_on = self.block(node.body)
        self.merge([self.state, before] if goes_on else [before], certain=False)
        return True

    # definitions


def _expects(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler goes on with something else after an exception it expects."""
    parts = list(ast.walk(handler.type or ast.Pass()))
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    names |= {part.attr for part in parts if isinstance(part, ast.Attribute)}
    return bool(names & EXPECTED) or all(
        isinstance(statement, ast.Pass | ast.Continue) for statement in handler.body
    )


STATEMENTS: dict[type[ast.stmt], Callable[[Any, Any], bool | None]] = {
    ast.Expr: Statements.expression,
    ast.Assign: Statements.assign,
    ast.AnnAssign: Statements.annotated,
    ast.AugAssign: Statements.augmented,
    ast.Delete: Statements.delete,
    ast.Return: Statements.returned,
    ast.Raise: Statements.raised,
    ast.Assert: Statements.asserted,
    ast.If: Statements.condition,
    ast.Match: Statements.matched,
    ast.Try: Statements.tried,
    ast.TryStar: Statements.tried,
    ast.With: Statements.with_block,
    ast.AsyncWith: Statements.with_block,
    ast.FunctionDef: Statements.function,
    ast.AsyncFunctionDef: Statements.function,
    ast.ClassDef: Statements.class_,
    ast.Import: Statements.imported,
    ast.ImportFrom: Statements.imported_from,
}
