"""Abstract values of Triton's objects, and of functions, classes and containers of a model."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from slipway.check.inference.values import UNKNOWN, NoneValue, Sequence, Value, join
from slipway.check.python.code import PythonCode


class Scope:
    """A function, class body or module that binds names."""

    code: PythonCode
    outer: Scope | None = None
    node: ast.AST | None = None

    def find(self, name: str) -> Value | None:
        """Return the value of a name here or in the enclosing functions and the module."""
        value = self.bindings().get(name)
        if value is not None:
            return value
        outer = self.outer
        while outer is not None and isinstance(outer.node, ast.ClassDef):
            outer = outer.outer
        return None if outer is None else outer.find(name)

    def bindings(self) -> dict[str, Value]:
        """Return what the names are bound to that are bound here."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Request(Value):
    """An inference request: one that the server passes, or one ``created`` for another model."""

    created: bool = False


@dataclass(frozen=True, slots=True)
class Tensor(Value):
    """A tensor of the Python backend, with its name, which ``node`` gives, where it is known."""

    name: str | None
    array: Value = UNKNOWN
    node: ast.expr | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Response(Value):
    """An inference response; ``names`` are its tensors', ``None`` where one is not known."""

    names: tuple[str, ...] | None = None
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class ResponseSender(Value):
    """The response sender of a request."""


@dataclass(frozen=True, slots=True)
class Missing(Value):
    """The ``None`` for a tensor that the request or the config does not have.

    ``node`` is the name's expression. With ``optional``, requests may have the tensor;
    ``certain`` is whether each request gets to the expression. ``config`` is for its config.
    """

    name: str
    kind: Literal["input", "output"]
    node: ast.expr = field(compare=False)
    optional: bool = False
    config: bool = False
    certain: bool = False


@dataclass(frozen=True, slots=True)
class External(Value):
    """Something of a library or a builtin, by its full name: ``json.loads``."""

    name: str


FOREIGN: Final = External("another library's array")


@dataclass(frozen=True, eq=False, slots=True)
class Function(Value):
    """A function of the model's modules; ``receiver`` where it is a method."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    frame: Scope
    receiver: Value | None = None
    owner: Class | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Class(Value):
    """A class of the model's modules, with what its body binds."""

    node: ast.ClassDef
    frame: Scope
    bases: tuple[Value, ...]
    namespace: Mapping[str, Value]

    def find(self, name: str) -> tuple[Value, Class] | None:
        """Return what the class or a base binds to a name, and the class that does."""
        if name in self.namespace:
            return self.namespace[name], self
        for base in self.bases:
            found = base.find(name) if isinstance(base, Class) else None
            if found is not None:
                return found
        return None

    @property
    def is_known(self) -> bool:
        """Return whether all its bases are the model's own."""
        plain = not self.node.keywords and not self.node.decorator_list
        return plain and all(
            base.is_known if isinstance(base, Class) else base == External("object")
            for base in self.bases
        )


@dataclass(frozen=True, slots=True)
class Instance(Value):
    """An object of one of the model's classes."""

    cls: Class


@dataclass(frozen=True, slots=True)
class Super(Value):
    """What ``super()`` returns in a method of ``cls``."""

    cls: Class
    receiver: Value


@dataclass(frozen=True, slots=True)
class OwnModule(Value):
    """A module of the model."""

    frame: Scope


@dataclass(frozen=True, slots=True)
class Method(Value):
    """A method of a value that is not the model's own: ``array.astype``, ``request.exec``."""

    receiver: Value
    name: str


@dataclass(frozen=True, slots=True)
class Reference(Value):
    """A list or a dict, whose content the state holds: it may be changed in place."""

    site: int
    kind: Literal["list", "dict"]


@dataclass(frozen=True, slots=True)
class Iterated(Value):
    """An iterator such as ``zip`` returns it, and what it yields."""

    type_name: str
    sequence: Sequence


@dataclass(frozen=True, slots=True)
class Coroutine(Value):
    """The call of an asynchronous function, and what awaiting it returns."""

    result: Value


@dataclass(frozen=True, eq=False, slots=True)
class Json(Value):
    """A part of the model's config as JSON: a dict or a list."""

    content: Any


@dataclass(frozen=True, slots=True)
class ConfigText(Value):
    """The text of the model's config, ``args["model_config"]``."""


@dataclass(frozen=True, slots=True)
class ListContent:
    """What a list holds; a ``summary`` describes several lists, made by the same expression."""

    sequence: Sequence
    summary: bool = False


@dataclass(frozen=True, slots=True)
class DictContent:
    """What a dict holds under known keys, and under ``others``; ``None`` if there are none."""

    items: Mapping[object, Value]
    others: Value | None = None
    summary: bool = False


type Content = ListContent | DictContent


class Positive:
    """The value of an integer of which only that is known; there is one, :data:`POSITIVE`."""

    def compared(self, symbol: str, other: object) -> bool | None:
        """Return the outcome of a comparison with an integer; ``None`` if it is not known."""
        if not isinstance(other, int) or other >= (2 if symbol in ("<", ">=") else 1):
            return None
        return symbol in ("!=", ">", ">=")


POSITIVE: Final = Positive()


def is_none(value: Value) -> bool:
    """Return whether a value is ``None``."""
    return isinstance(value, NoneValue | Missing)


def sequence_of(items: tuple[Value, ...], kind: Literal["list", "tuple"] = "list") -> Sequence:
    """Return the sequence of these items."""
    return Sequence(items, join(items) if items else UNKNOWN, kind)


def join_contents(left: Content, right: Content) -> Content:
    """Return the content that is one of the two."""
    if left is right or left == right:
        return left
    if isinstance(left, ListContent) and isinstance(right, ListContent):
        joined = join([left.sequence, right.sequence])
        sequence = joined if isinstance(joined, Sequence) else Sequence()
        return ListContent(sequence, left.summary or right.summary)
    if isinstance(left, DictContent) and isinstance(right, DictContent):
        items: dict[object, Value] = {}
        for key in (*left.items, *right.items):
            parts = [d.items.get(key, d.others) for d in (left, right)]
            items[key] = join(part for part in parts if part is not None)
        rest = [d.others for d in (left, right) if d.others is not None]
        return DictContent(items, join(rest) if rest else None, left.summary or right.summary)
    return ListContent(Sequence())
