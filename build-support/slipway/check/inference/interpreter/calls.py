"""Calls: of the model's functions and classes, of libraries, of methods."""

from __future__ import annotations

import ast

from slipway.check.inference import numpy
from slipway.check.inference.interpreter.attributes import METHODS, UTILS
from slipway.check.inference.interpreter.functions import Functions
from slipway.check.inference.interpreter.machine import PathEnds
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
)
from slipway.check.inference.values import (
    UNKNOWN,
    Arguments,
    Array,
    DType,
    Scalar,
    Sequence,
    Union,
    Value,
    join,
    members,
)

AWAITS = {"asyncio.run", "asyncio.wait_for", "asyncio.shield", "asyncio.ensure_future"}
LIST_OR_NUMBER = Union((Sequence(), Scalar("float")))  # of an array of any rank
FOLLOWED = (Instance, Super, OwnModule)
OWNERS = (*FOLLOWED, Class, Missing)


class Calls(Functions):
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
        kind = type(receiver)
        if kind is External:
            if arguments is not None:
                self.hand_on(arguments)
            return self.call(self.attribute(receiver, name, function), arguments, node)
        if kind in METHODS:
            self.attribute(receiver, name, function)
            return self.triton_method(receiver, name, arguments, node)
        if arguments is not None and not isinstance(receiver, FOLLOWED):
            self.hand_on(arguments)
        if isinstance(receiver, Array):
            found = self._numpy(
                arguments, lambda given: numpy.method(receiver, name, given, numpy_2=self.numpy_2)
            )
            return LIST_OR_NUMBER if found is UNKNOWN and name == "tolist" else found
        if isinstance(receiver, OWNERS):
            return self.call(self.attribute(receiver, name, function), arguments, node)
        result = self.container_method(receiver, name, arguments, node)
        if result is not None:
            return result
        if arguments is not None:
            self.expose([*arguments.positional, *arguments.keywords.values()])
        if name in ("as_numpy", "numpy"):
            return Array()
        if name == "astype" and arguments is not None:
            return self.cast(arguments.get(0, "dtype") or UNKNOWN)
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

    # numpy


def _awaited(value: Value) -> Value:
    return join(each.result if isinstance(each, Coroutine) else UNKNOWN for each in members(value))
