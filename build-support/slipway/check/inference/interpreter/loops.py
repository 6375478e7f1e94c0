"""Loops and comprehensions."""

from __future__ import annotations

import ast
from collections.abc import Callable

from slipway.check.inference.interpreter.expressions import EXPRESSIONS
from slipway.check.inference.interpreter.machine import PathEnds
from slipway.check.inference.interpreter.statements import STATEMENTS, Statements
from slipway.check.inference.objects import DictContent, Iterated
from slipway.check.inference.state import Loop, State, widen
from slipway.check.inference.values import UNKNOWN, Opaque, Sequence, Value, join

UNROLLED = 8  # items of a loop that are executed one by one
DEEP = 2  # loops in loops; those that are deeper are known less exactly
ROUNDS = 4  # executions of a loop's body, until nothing changes


class Loops(Statements):
    """Executes loops."""

    def for_loop(self, node: ast.For | ast.AsyncFor) -> bool:
        """Execute a loop over items."""
        iterated = self.evaluate(node.iter)
        self.refuse_tensor(iterated, node.iter, "is not iterable")
        items = self.iterate_all(iterated)
        certain = self.state.certain
        raises, returned = self.frame.raises, len(self.frame.returns)
        loop = Loop()
        self.frame.loops.append(loop)
        if items.per_request:
            self.frame.batches.append(node)
        try:
            if items.items is not None and len(items.items) <= UNROLLED:
                goes_on = self._unrolled(node, items.items, loop)
            else:
                goes_on = self._summarized(node, items, loop)
        finally:
            self.frame.loops.pop()
            if items.per_request:
                self.frame.batches.pop()
        if goes_on:
            goes_on = self.block(node.orelse)
        ends = [self.state, *loop.breaks] if goes_on else loop.breaks
        if ends:
            leaves = len(self.frame.returns) > returned or self.frame.raises > raises
            self.merge(ends, certain=certain and not leaves)
        return bool(ends)

    def _unrolled(self, node: ast.For | ast.AsyncFor, items: tuple[Value, ...], loop: Loop) -> bool:
        for item in items:
            self.bind(node.target, item)
            if not self._body(node.body, loop):
                return False
        return True

    def _body(self, body: list[ast.stmt], loop: Loop) -> bool:
        """Execute a loop's body once; return whether a next item may follow."""
        loop.continues.clear()
        certain = self.state.certain
        goes_on = self.block(body)
        ends = [self.state, *loop.continues] if goes_on else list(loop.continues)
        if ends:
            self.merge(ends, certain=certain and len(ends) == 1)
        return bool(ends)

    def _summarized(self, node: ast.For | ast.AsyncFor, items: Sequence, loop: Loop) -> bool:
        skipped = None if items.per_request else self.state.copy()
        if skipped is not None:
            skipped.certain = False
            self.state = self.state.copy()
            self.state.certain = False
        return self._rounds(lambda: self.bind(node.target, items.element), node.body, loop, skipped)

    def _rounds(
        self,
        start: Callable[[], None],
        body: list[ast.stmt],
        loop: Loop,
        after: State | None,
    ) -> bool:
        """Execute a body until nothing changes; ``after`` is what holds if it is never executed."""
        self.loop_depth += 1
        try:
            return self._repeat(start, body, loop, after)
        finally:
            self.loop_depth -= 1

    def _repeat(
        self,
        start: Callable[[], None],
        body: list[ast.stmt],
        loop: Loop,
        after: State | None,
    ) -> bool:
        for number in range(ROUNDS):
            before = self.state.copy()
            certain = self.state.certain
            try:
                start()
                goes_on = self._body(body, loop)
            except PathEnds:
                self.frame.raises = True
                goes_on = False
            if not goes_on:
                break
            end = self.state
            self.merge([end] if after is None else [after, end], certain=certain)
            after = self.state.copy()
            if self.state.is_same(before):
                break
            self.state.certain = False  # from the second item on
            if number == (0 if self.loop_depth > DEEP else ROUNDS - 2):
                widen(before, self.state)
        if after is None:
            return False
        self.state = after
        return True

    def while_loop(self, node: ast.While) -> bool:
        """Execute a loop while a test is true."""
        truth = self.truth(self.evaluate(node.test))
        certain = self.state.certain
        if truth is False:
            return self.block(node.orelse)
        loop = Loop()
        self.frame.loops.append(loop)
        endless = truth is True and isinstance(node.test, ast.Constant)
        after = None if endless else self.state.copy()
        if truth is None:
            self.state = self.state.copy()
            self.state.certain = False

        def start() -> None:
            if not endless:
                self.evaluate(node.test)
                self.assume(node.test, True)

        returned, raises = len(self.frame.returns), self.frame.raises
        try:
            goes_on = self._rounds(start, node.body, loop, after) and not endless
        finally:
            self.frame.loops.pop()
        if goes_on:
            self.assume(node.test, False)
            goes_on = self.block(node.orelse)
        ends = [self.state, *loop.breaks] if goes_on else loop.breaks
        if ends:
            leaves = len(self.frame.returns) > returned or self.frame.raises > raises
            self.merge(ends, certain=certain and not leaves)
        return bool(ends)

    def broken(self, node: ast.Break) -> bool:
        """Leave a loop."""
        if self.frame.loops:
            self.frame.loops[-1].breaks.append(self.state)
        return False

    def continued(self, node: ast.Continue) -> bool:
        """Go on with a loop's next item."""
        if self.frame.loops:
            self.frame.loops[-1].continues.append(self.state)
        return False

    # comprehensions

    def list_comprehension(self, node: ast.ListComp) -> Value:
        """Return a list of what an expression is for each item."""
        return self.new_list(self._comprehended(node, node.elt), node)

    def generator(self, node: ast.GeneratorExp) -> Value:
        """Return a generator of what an expression is for each item."""
        return Iterated("generator", self._comprehended(node, node.elt))

    def set_comprehension(self, node: ast.SetComp) -> Value:
        """Return a set."""
        self._comprehended(node, node.elt)
        return Opaque("set")

    def dict_comprehension(self, node: ast.DictComp) -> Value:
        """Return a dict."""
        pairs = ast.Tuple([node.key, node.value], ast.Load())
        element = self._comprehended(node, pairs).element
        value: Value = UNKNOWN
        if isinstance(element, Sequence) and element.items is not None:
            value = element.items[1]
        return self.new_dict(DictContent({}, value, summary=True), node)

    def _comprehended(
        self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp, element: ast.expr
    ) -> Sequence:
        variables = self.state.variables
        self.state.variables = variables.copy()
        try:
            return self._generate(node.generators, element)
        finally:
            self.state.variables = variables

    def _generate(self, generators: list[ast.comprehension], element: ast.expr) -> Sequence:
        generator, *rest = generators
        iterated = self.evaluate(generator.iter)
        self.refuse_tensor(iterated, generator.iter, "is not iterable")
        items = self.iterate_all(iterated)
        single = not rest and not generator.ifs
        if single and items.items is not None and len(items.items) <= UNROLLED:
            values = []
            for item in items.items:
                self.bind(generator.target, item)
                values.append(self.evaluate(element))
            return Sequence(tuple(values), join(values) if values else UNKNOWN)
        if items.items == ():
            return Sequence(())
        certain = self.state.certain
        self.state.certain = certain and items.per_request and not generator.ifs
        self.bind(generator.target, items.element)
        try:
            for test in generator.ifs:
                if self.truth(self.evaluate(test)) is False:
                    return Sequence(())
                self.assume(test, True)
            value = self._generate(rest, element).element if rest else self.evaluate(element)
        except PathEnds:
            if items.per_request or items.items:
                raise
            return Sequence()
        finally:
            self.state.certain = certain
        return Sequence(None, value, "list", items.per_request and single)


EXPRESSIONS |= {
    ast.ListComp: Loops.list_comprehension,
    ast.GeneratorExp: Loops.generator,
    ast.SetComp: Loops.set_comprehension,
    ast.DictComp: Loops.dict_comprehension,
    ast.Call: Loops.call_node,
}
STATEMENTS |= {
    ast.For: Loops.for_loop,
    ast.AsyncFor: Loops.for_loop,
    ast.While: Loops.while_loop,
    ast.Break: Loops.broken,
    ast.Continue: Loops.continued,
}
