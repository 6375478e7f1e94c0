"""Calls: of the model's functions and classes, of libraries, of methods."""

from __future__ import annotations

import ast
from collections.abc import Callable
from itertools import product

from slipway.check.inference import numpy
from slipway.check.inference.attributes import METHODS, UTILS, decorators
from slipway.check.inference.builtin import Builtins
from slipway.check.inference.machine import DEPTH, PathEnds
from slipway.check.inference.numpy.dtypes import named_type
from slipway.check.inference.objects import (
    Class,
    Coroutine,
    External,
    Function,
    Instance,
    Method,
    Missing,
    OwnModule,
    Super,
    is_none,
    sequence_of,
)
from slipway.check.inference.state import Frame, Returned, State, join_states
from slipway.check.inference.values import (
    NONE,
    UNKNOWN,
    Arguments,
    Array,
    DType,
    NoneValue,
    Opaque,
    Scalar,
    Sequence,
    Union,
    Unknown,
    Value,
    join,
    members,
)

# decorators that leave what a function takes and returns as it is
TRANSPARENT = {
    "staticmethod",
    "classmethod",
    "property",
    "functools.cached_property",
    "functools.lru_cache",
    "functools.cache",
    "torch.no_grad",
    "torch.inference_mode",
    "typing.override",
    "typing.final",
    "nvtx.annotate",
}
TYPES = ("bool", "int", "float", "complex", "object", "str", "bytes")
WAYS = 16  # combinations of the arguments' alternatives
AWAITS = {"asyncio.run", "asyncio.wait_for", "asyncio.shield", "asyncio.ensure_future"}
LIST_OR_NUMBER = Union((Sequence(), Scalar("float")))  # of an array of any rank
SIMPLE = (Array, Scalar, DType, NoneValue, Opaque, Unknown)


class Calls(Builtins):
    """Evaluates calls."""

    def call_node(self, node: ast.Call) -> Value:
        """Return the value of a call."""
        function = node.func
        if isinstance(function, ast.Attribute):
            receiver = self.evaluate(function.value)
            self.note_missing(receiver, function)
            arguments = self.arguments(node)
            name = function.attr
            return self.each(receiver, lambda each: self._method(each, name, arguments, node))
        if isinstance(function, ast.Name) and function.id == "super" and self.frame.owner:
            return Super(self.frame.owner, self.frame.receiver or UNKNOWN)
        value = self.evaluate(function)
        arguments = self.arguments(node)
        return self.each(value, lambda each: self.call(each, arguments, node))

    def arguments(self, node: ast.Call) -> Arguments | None:
        """Return the arguments of a call; ``None`` if they are not known one by one."""
        positional: list[Value] = []
        known = True
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                sequence = self.content(self.evaluate(argument.value))
                if sequence is None or sequence.items is None:
                    known = False
                else:
                    positional += sequence.items
            else:
                positional.append(self.evaluate(argument))
        keywords: dict[str, Value] = {}
        for keyword in node.keywords:
            value = self.evaluate(keyword.value)
            if keyword.arg is None:
                known = False
            else:
                keywords[keyword.arg] = value
        if known:
            return Arguments(tuple(positional), keywords)
        self.expose([*positional, *keywords.values()])
        return None

    def _method(
        self, receiver: Value, name: str, arguments: Arguments | None, node: ast.Call
    ) -> Value:
        """Return what a method of a value returns that is no union."""
        function = node.func
        if type(receiver) in METHODS:
            self.attribute(receiver, name, function)
            return self.triton_method(receiver, name, arguments, node)
        if arguments is not None and not isinstance(receiver, Instance | Super | OwnModule):
            self.hand_on(arguments)
        if isinstance(receiver, Array):
            found = self._numpy(
                arguments, lambda given: numpy.method(receiver, name, given, numpy_2=self.numpy_2)
            )
            return LIST_OR_NUMBER if found is UNKNOWN and name == "tolist" else found
        if isinstance(receiver, Instance | Class | OwnModule | External | Missing | Super):
            return self.call(self.attribute(receiver, name, function), arguments, node)
        result = self.container_method(receiver, name, arguments, node)
        if result is not None:
            return result
        if arguments is not None:
            self.expose([*arguments.positional, *arguments.keywords.values()])
        if name == "as_numpy":
            return Array()
        if name == "tolist":
            return LIST_OR_NUMBER
        if name == "run_until_complete" and arguments is not None and arguments.positional:
            return _awaited(arguments.positional[0])
        return UNKNOWN

    def call(self, function: Value, arguments: Arguments | None, node: ast.AST) -> Value:
        """Return what a call of a value returns that is no union."""
        assert isinstance(node, ast.expr)
        if isinstance(function, Union):
            return self.each(function, lambda each: self.call(each, arguments, node))
        if isinstance(function, Function):
            return self._call_function(function, arguments, node)
        if isinstance(function, External):
            return self._call_external(function.name, arguments, node)
        if isinstance(function, DType):
            return self._numpy(
                arguments,
                lambda given: numpy.call(function.name, given, numpy_2=self.numpy_2),
            )
        if isinstance(function, Method) and isinstance(node, ast.Call):
            if type(function.receiver) in METHODS:
                return self.triton_method(function.receiver, function.name, arguments, node)
            return UNKNOWN
        if isinstance(function, Instance):
            found = function.cls.find("__call__")
            if found is not None:
                return self.call(self._bound(found[0], function, found[1], node), arguments, node)
        if arguments is not None:
            self.expose([*arguments.positional, *arguments.keywords.values()])
        return Instance(function) if isinstance(function, Class) else UNKNOWN

    def _call_external(self, name: str, arguments: Arguments | None, node: ast.expr) -> Value:
        module, _, rest = name.partition(".")
        if module == UTILS:
            return self.triton_call(rest, arguments, node)
        if module == "numpy":
            return self._numpy(
                arguments, lambda given: numpy.call(rest, given, numpy_2=self.numpy_2)
            )
        if arguments is None:
            arguments = Arguments((UNKNOWN,) * 4)
        found = self.builtin(name, arguments, node)
        if found is not None:
            return found
        if name in AWAITS and arguments.positional:
            return _awaited(arguments.positional[0])
        if name in ("exit", "quit", "sys.exit", "os._exit"):
            raise PathEnds
        self.expose([*arguments.positional, *arguments.keywords.values()])
        return UNKNOWN

    # functions of the model

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

    # numpy

    def _numpy(self, arguments: Arguments | None, function: NumpyCall) -> Value:
        """Return the result of one of numpy's functions over the arguments' alternatives."""
        if arguments is None:
            return UNKNOWN
        values = [self.numpy_value(each) for each in arguments.positional]
        names = list(arguments.keywords)
        values += [self.numpy_value(each) for each in arguments.keywords.values()]
        count = len(arguments.positional)
        ways = 1
        for value in values:
            ways *= len(members(value))
        if ways == 1:
            return function(_given(values, names, count))
        if ways > WAYS:
            values = [UNKNOWN if isinstance(each, Union) else each for each in values]
        choices = product(*(members(value) for value in values))
        return join(function(_given(list(choice), names, count)) for choice in choices)

    def numpy_value(self, value: Value) -> Value:
        """Return a value as numpy's rules take it."""
        resolved = self.resolve(value)
        if isinstance(resolved, Union):
            return join(self._as_numpy_takes(member) for member in resolved.members)
        return self._as_numpy_takes(resolved)

    def _as_numpy_takes(self, value: Value) -> Value:
        if isinstance(value, SIMPLE):
            return value
        if isinstance(value, Sequence):
            if value.items is None:
                return Sequence(None, self.numpy_value(value.element), value.kind)
            return sequence_of(tuple(map(self.numpy_value, value.items)), value.kind)
        if isinstance(value, External) and value.name in TYPES:
            dtype = named_type(value.name)
            return UNKNOWN if dtype is None else DType(dtype)
        return NONE if is_none(value) else UNKNOWN


type NumpyCall = Callable[[Arguments], Value]


def _given(values: list[Value], names: list[str], count: int) -> Arguments:
    return Arguments(tuple(values[:count]), dict(zip(names, values[count:], strict=True)))


def _awaited(value: Value) -> Value:
    return join(each.result if isinstance(each, Coroutine) else UNKNOWN for each in members(value))
