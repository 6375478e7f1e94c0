"""Python's builtin functions."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import suppress

from slipway.check.inference import numpy
from slipway.check.inference.interpreter.machine import LONGEST
from slipway.check.inference.interpreter.triton_objects import TritonObjects
from slipway.check.inference.kinds import describe
from slipway.check.inference.objects import (
    POSITIVE,
    ConfigText,
    DictContent,
    Instance,
    Iterated,
    Json,
    Request,
    Response,
    Tensor,
    sequence_of,
)
from slipway.check.inference.values import (
    ABSENT,
    NONE,
    UNKNOWN,
    Arguments,
    Array,
    Opaque,
    Scalar,
    Sequence,
    Value,
    join,
    members,
)


class Builtins(TritonObjects):
    """Calls builtin functions."""

    def builtin(self, name: str, arguments: Arguments, node: ast.expr) -> Value | None:
        """Return what a builtin returns; ``None`` if it is not one that is known."""
        handler = BUILTIN.get(name)
        return None if handler is None else handler(self, arguments, node)

    def iterate_all(self, value: Value) -> Sequence:
        """Return what a loop over a value, which may be a union, runs over."""
        parts = [self.iterate(member) for member in members(value)]
        if len(parts) == 1:
            return parts[0]
        return Sequence(None, join(part.element for part in parts))

    def _length(self, arguments: Arguments, node: ast.expr) -> Value:
        value = arguments.get(0, "") or UNKNOWN
        if isinstance(value, Tensor | Request | Response):
            what = f"{describe(value)} has no length"
            self.fail("attribute", node, what, "take the length of its array: .as_numpy()", value)
        sequence = self.content(value)
        if sequence is None or sequence.items is None:
            is_batch = sequence is not None and sequence.per_request
            return Scalar("int", POSITIVE) if is_batch else Scalar("int")
        return Scalar("int", len(sequence.items))

    def _list(self, arguments: Arguments, node: ast.expr) -> Value:
        if not arguments.positional:
            return self.new_list(Sequence(()), node)
        found = self.iterate_all(arguments.positional[0])
        return self.new_list(Sequence(found.items, found.element, "list", found.per_request), node)

    def _tuple(self, arguments: Arguments, node: ast.expr) -> Value:
        if not arguments.positional:
            return Sequence((), UNKNOWN, "tuple")
        found = self.iterate_all(arguments.positional[0])
        return Sequence(found.items, found.element, "tuple", found.per_request)

    def _sorted(self, arguments: Arguments, node: ast.expr) -> Value:
        found = self.iterate_all(arguments.get(0, "") or UNKNOWN)
        return self.new_list(Sequence(None, found.element, "list", found.per_request), node)

    def _dict(self, arguments: Arguments, node: ast.expr) -> Value:
        known = not arguments.positional
        items: dict[object, Value] = {}
        if known:
            items.update(arguments.keywords)
        content = DictContent(items, None if known else UNKNOWN)
        return self.new_dict(content, node)

    def _enumerate(self, arguments: Arguments, node: ast.expr) -> Value:
        found = self.iterate_all(arguments.get(0, "iterable") or UNKNOWN)
        if found.items is None or len(found.items) > LONGEST:
            pair = sequence_of((Scalar("int"), found.element), "tuple")
            return Iterated("enumerate", Sequence(None, pair, "list", found.per_request))
        items = (sequence_of((Scalar("int"), item), "tuple") for item in found.items)
        return Iterated("enumerate", sequence_of(tuple(items)))

    def _zip(self, arguments: Arguments, node: ast.expr) -> Value:
        found = [self.iterate_all(each) for each in arguments.positional]
        lengths = {len(each.items) if each.items is not None else -1 for each in found}
        if found and len(lengths) == 1 and -1 not in lengths:
            rows = zip(*(each.items or () for each in found), strict=True)
            return Iterated("zip", sequence_of(tuple(sequence_of(row, "tuple") for row in rows)))
        row = sequence_of(tuple(each.element for each in found), "tuple")
        per_request = bool(found) and all(each.per_request for each in found)
        return Iterated("zip", Sequence(None, row, "list", per_request))

    def _map(self, arguments: Arguments, node: ast.expr) -> Value:
        if len(arguments.positional) < 2:
            return Iterated("map", Sequence())
        found = [self.iterate_all(each) for each in arguments.positional[1:]]
        passed = Arguments(tuple(each.element for each in found))
        element = self.call(arguments.positional[0], passed, node)
        per_request = all(each.per_request for each in found)
        return Iterated("map", Sequence(None, element, "list", per_request))

    def _filter(self, arguments: Arguments, node: ast.expr) -> Value:
        found = self.iterate_all(arguments.get(1, "") or UNKNOWN)
        return Iterated("filter", Sequence(None, found.element))

    def _reversed(self, arguments: Arguments, node: ast.expr) -> Value:
        found = self.iterate_all(arguments.get(0, "") or UNKNOWN)
        return Iterated("iterator", Sequence(None, found.element, "list", found.per_request))

    def _range(self, arguments: Arguments, node: ast.expr) -> Value:
        is_batch = arguments.positional == (Scalar("int", POSITIVE),)
        return Iterated("range", Sequence(None, Scalar("int"), "list", is_batch))

    def _next(self, arguments: Arguments, node: ast.expr) -> Value:
        found = self.iterate_all(arguments.get(0, "") or UNKNOWN)
        default = arguments.get(1, "")
        return found.element if default is None else join((found.element, default))

    def _text(self, arguments: Arguments, node: ast.expr) -> Value:
        value = arguments.get(0, "object")
        known = isinstance(value, Scalar) and value.kind in ("str", "int", "bool")
        if known and isinstance(value, Scalar) and isinstance(value.value, str | int):
            return Scalar("str", str(value.value))
        return Scalar("str")

    def _number(self, kind: str, arguments: Arguments) -> Value:
        value = arguments.get(0, "")
        literal = value.value if isinstance(value, Scalar) else ABSENT
        if isinstance(literal, int | float | str):
            with suppress(ValueError, OverflowError):
                return Scalar("int", int(literal)) if kind == "int" else Scalar("float")
        return Scalar("int") if kind == "int" else Scalar("float")

    def _bool(self, arguments: Arguments, node: ast.expr) -> Value:
        truth = self.truth(arguments.get(0, "") or UNKNOWN)
        return Scalar("bool", ABSENT if truth is None else truth)

    def _extreme(self, arguments: Arguments, node: ast.expr) -> Value:
        values = [self.resolve(each) for each in arguments.positional]
        if len(values) == 1:
            return self.iterate_all(arguments.positional[0]).element
        joined = join(values)
        return joined if isinstance(joined, Scalar) else UNKNOWN

    def _sum(self, arguments: Arguments, node: ast.expr) -> Value:
        element = self.iterate_all(arguments.get(0, "") or UNKNOWN).element
        if isinstance(element, Scalar) and element.kind in ("bool", "int"):
            return Scalar("int")
        return Scalar("float") if isinstance(element, Scalar) else UNKNOWN

    def _absolute(self, arguments: Arguments, node: ast.expr) -> Value:
        value = arguments.get(0, "") or UNKNOWN
        if isinstance(value, Scalar) and value.kind in ("int", "float"):
            return Scalar(value.kind)
        return (
            numpy.call("abs", arguments, numpy_2=self.numpy_2)
            if (isinstance(value, Array))
            else UNKNOWN
        )

    def _round(self, arguments: Arguments, node: ast.expr) -> Value:
        value = arguments.get(0, "") or UNKNOWN
        if isinstance(value, Scalar):
            return Scalar("int") if len(arguments.positional) == 1 else Scalar(value.kind)
        return UNKNOWN

    def _getattr(self, arguments: Arguments, node: ast.expr) -> Value:
        value, name = arguments.get(0, ""), arguments.get(1, "")
        if isinstance(value, Instance) and isinstance(name, Scalar) and self.is_model(value):
            found = self.state.attributes.get(str(name.value))
            default = arguments.get(2, "")
            if found is not None:
                return found if default is None else join((found, default))
        return UNKNOWN

    def _loads(self, arguments: Arguments, node: ast.expr) -> Value:
        return self.each(
            arguments.get(0, "s") or UNKNOWN,
            lambda value: Json(self.config.json) if isinstance(value, ConfigText) else UNKNOWN,
        )

    def _unknown_list(self, arguments: Arguments, node: ast.expr) -> Value:
        return self.new_list(Sequence(), node)


def _always(value: Value) -> Callable[[Builtins, Arguments, ast.expr], Value]:
    return lambda machine, arguments, node: value


BUILTIN: dict[str, Callable[[Builtins, Arguments, ast.expr], Value]] = {
    "len": Builtins._length,
    "list": Builtins._list,
    "tuple": Builtins._tuple,
    "sorted": Builtins._sorted,
    "dict": Builtins._dict,
    "enumerate": Builtins._enumerate,
    "zip": Builtins._zip,
    "map": Builtins._map,
    "filter": Builtins._filter,
    "reversed": Builtins._reversed,
    "iter": Builtins._reversed,
    "range": Builtins._range,
    "next": Builtins._next,
    "str": Builtins._text,
    "int": lambda machine, arguments, node: machine._number("int", arguments),
    "float": lambda machine, arguments, node: machine._number("float", arguments),
    "bool": Builtins._bool,
    "min": Builtins._extreme,
    "max": Builtins._extreme,
    "sum": Builtins._sum,
    "abs": Builtins._absolute,
    "round": Builtins._round,
    "getattr": Builtins._getattr,
    "json.loads": Builtins._loads,
    "set": _always(Opaque("set")),
    "frozenset": _always(Opaque("frozenset")),
    "bytes": _always(Scalar("bytes")),
    "repr": _always(Scalar("str")),
    "format": _always(Scalar("str")),
    "json.dumps": _always(Scalar("str")),
    "os.path.join": _always(Scalar("str")),
    "os.path.dirname": _always(Scalar("str")),
    "isinstance": _always(Scalar("bool")),
    "hasattr": _always(Scalar("bool")),
    "callable": _always(Scalar("bool")),
    "any": _always(Scalar("bool")),
    "all": _always(Scalar("bool")),
    "id": _always(Scalar("int")),
    "hash": _always(Scalar("int")),
    "print": _always(NONE),
    "time.time": _always(Scalar("float")),
    "time.perf_counter": _always(Scalar("float")),
}
