"""The model's own functions."""

from __future__ import annotations

import ast

from slipway.check.inference.interpreter.attributes import TRANSPARENT, decorators
from slipway.check.inference.interpreter.machine import DEPTH, PathEnds
from slipway.check.inference.interpreter.numpy_calls import NumpyCalls
from slipway.check.inference.objects import (
    Coroutine,
    Function,
    sequence_of,
)
from slipway.check.inference.state import Frame, Returned, State, join_states
from slipway.check.inference.values import (
    NONE,
    UNKNOWN,
    Arguments,
    Opaque,
    Sequence,
    Value,
    join,
)


class Functions(NumpyCalls):
    """Calls functions."""

    def _call_function(
        self, function: Function, arguments: Arguments | None, node: ast.AST
    ) -> Value:
        definition = function.node
        opaque = not isinstance(definition, ast.Lambda) and (
            decorators(function.frame.code, definition) - TRANSPARENT
        )
        if opaque or self.depth >= DEPTH or definition in self.active:
            if arguments is not None:
                self.expose([*arguments.positional, *arguments.keywords.values()])
            return UNKNOWN
        if definition in function.frame.code.generators:
            if arguments is not None:
                self.expose([*arguments.positional, *arguments.keywords.values()])
            return Opaque("generator")
        returned = self.run(function, arguments)
        result = join(each.value for each in returned)
        return Coroutine(result) if isinstance(definition, ast.AsyncFunctionDef) else result

    active: list[ast.AST]

    entered: set[ast.AST]

    def run(self, function: Function, arguments: Arguments | None) -> list[Returned]:
        """Execute a function; return the ways in which it ends.

        Raises:
            PathEnds: it ends in none, but with an exception.
        """
        caller = self.frame
        before = caller.state
        frame = Frame(
            function.frame.code,
            State({}, before.attributes, before.contents, before.certain, before.handling),
            function.frame,
            function.node,
            function.owner,
            function.receiver,
        )
        self.frame = frame
        self.depth += 1
        self.active.append(function.node)
        self.entered.add(function.node)
        try:
            self._bind_parameters(function, arguments)
            self._run_body(function.node, frame)
        finally:
            self.frame = caller
            self.depth -= 1
            self.active.pop()
        if not frame.returns:
            raise PathEnds
        joined = frame.returns[0].state
        for returned in frame.returns[1:]:
            joined = join_states(joined, returned.state)
        certain = before.certain and not frame.raises
        caller.state = State(
            before.variables, joined.attributes, joined.contents, certain, before.handling
        )
        return frame.returns

    def _run_body(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, frame: Frame
    ) -> None:
        if isinstance(node, ast.Lambda):
            value = self.evaluate(node.body)
            frame.returns.append(Returned(None, value, frame.state))
        elif self.block(node.body):
            frame.returns.append(Returned(None, NONE, frame.state))

    def _bind_parameters(self, function: Function, arguments: Arguments | None) -> None:
        given = function.node.args
        variables = self.state.variables
        positional = [*given.posonlyargs, *given.args]
        names = [argument.arg for argument in positional]
        for name in (*names, *(argument.arg for argument in given.kwonlyargs)):
            variables[name] = UNKNOWN
        if arguments is None:
            if function.receiver is not None and names:
                variables[names[0]] = function.receiver
            passed: tuple[Value, ...] = ()
        else:
            defaults = positional[len(positional) - len(given.defaults) :]
            pairs = [*zip(defaults, given.defaults, strict=True)]
            pairs += [
                (argument, default)
                for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
                if default is not None
            ]
            for argument, default in pairs:
                variables[argument.arg] = self.evaluate(default)
            first = () if function.receiver is None else (function.receiver,)
            passed = (*first, *arguments.positional)
            for name, value in zip(names, passed, strict=False):
                variables[name] = value
            for name, value in arguments.keywords.items():
                if name in variables:
                    variables[name] = value
        if given.vararg is not None:
            rest = sequence_of(passed[len(names) :], "tuple")
            variables[given.vararg.arg] = (
                rest if arguments is not None else Sequence(None, UNKNOWN, "tuple")
            )
        if given.kwarg is not None:
            variables[given.kwarg.arg] = Opaque("dict")
