"""Lists, tuples, dicts, texts and arrays: their items and methods."""

from __future__ import annotations

import ast

from slipway.check.inference.interpreter.items import Items, concatenated, lookup
from slipway.check.inference.objects import (
    DictContent,
    Iterated,
    Json,
    ListContent,
    Reference,
    sequence_of,
)
from slipway.check.inference.state import forget
from slipway.check.inference.triton_config import json_value
from slipway.check.inference.values import (
    NONE,
    UNKNOWN,
    Arguments,
    Scalar,
    Sequence,
    Value,
    join,
    members,
)

TEXT_METHODS = """capitalize casefold center expandtabs format format_map join ljust lower lstrip
removeprefix removesuffix replace rjust rstrip strip swapcase title translate upper zfill""".split()
TEXT_LISTS = ("split", "rsplit", "splitlines")


class Containers(Items):
    """Reads and changes containers."""

    # methods

    def container_method(
        self, value: Value, name: str, arguments: Arguments | None, node: ast.AST
    ) -> Value | None:
        """Return what a method of a container returns; ``None`` if it is not a container's."""
        if isinstance(value, Reference):
            content = self.state.contents.get(value.site)
            if arguments is None:
                arguments = Arguments((UNKNOWN, UNKNOWN, UNKNOWN))
            if isinstance(content, ListContent):
                return self._list_method(value, content, name, arguments, node)
            if isinstance(content, DictContent):
                return self._dict_method(value, content, name, arguments)
        if isinstance(value, Scalar) and value.kind in ("str", "bytes"):
            return self._text_method(value, name, node)
        if isinstance(value, Json):
            return _json_method(value, name, arguments)
        return None

    def _list_method(
        self,
        value: Reference,
        content: ListContent,
        name: str,
        arguments: Arguments,
        node: ast.AST,
    ) -> Value:
        sequence, first = content.sequence, arguments.get(0, "")
        changed: Sequence | None = None
        result: Value = NONE
        if name == "append" and first is not None:
            changed = concatenated(sequence, sequence_of((first,)))
        elif name == "extend" and first is not None:
            joined = [concatenated(sequence, self.iterate(each)) for each in members(first)]
            both = join(joined)
            changed = both if isinstance(both, Sequence) else Sequence()
        elif name == "insert":
            item = arguments.get(1, "") or UNKNOWN
            changed = Sequence(None, concatenated(sequence, sequence_of((item,))).element)
        elif name in ("sort", "reverse"):
            changed = Sequence(None, sequence.element, "list", sequence.per_request)
        elif name == "clear":
            changed = Sequence(()) if not content.summary else None
        elif name in ("pop", "remove"):
            changed = Sequence(None, sequence.element)
            result = sequence.element if name == "pop" else NONE
        elif name == "copy":
            return self.new_list(sequence, node)
        elif name in ("index", "count"):
            return Scalar("int")
        else:
            return UNKNOWN
        if changed is not None:
            if content.summary:
                parts = [each.element for each in (changed, sequence) if each.items != ()]
                changed = Sequence(None, join(parts))
            self.state.contents[value.site] = ListContent(changed, content.summary)
        return result

    def _dict_method(
        self, value: Reference, content: DictContent, name: str, arguments: Arguments
    ) -> Value:
        first = arguments.get(0, "") or UNKNOWN
        if name in ("get", "setdefault", "pop"):
            found = lookup(content, first, arguments.get(1, "default") or NONE)
            if name != "get":
                self.state.contents[value.site] = forget(content)
            return found
        if name in ("keys", "values", "items"):
            return self._dict_view(content, name)
        if name == "copy":
            return UNKNOWN
        if name in ("update", "clear", "popitem"):
            self.state.contents[value.site] = forget(content)
        return UNKNOWN if name == "popitem" else NONE

    def _dict_view(self, content: DictContent, name: str) -> Value:
        if content.others is not None or content.summary:
            return Iterated(f"dict_{name}", Sequence())
        keys = [json_value(key) for key in content.items]
        return _view(name, keys, list(content.items.values()))

    def _text_method(self, value: Scalar, name: str, node: ast.AST) -> Value | None:
        if name == "encode":
            return Scalar("bytes")
        if name == "decode":
            return Scalar("str")
        if name in TEXT_METHODS:
            return Scalar(value.kind)
        if name in TEXT_LISTS:
            return self.new_list(Sequence(None, Scalar(value.kind)), node)
        if name in ("count", "find", "index", "rfind", "rindex"):
            return Scalar("int")
        if name.startswith("is") or name in ("startswith", "endswith"):
            return Scalar("bool")
        return None


def _json_method(value: Json, name: str, arguments: Arguments | None) -> Value:
    content = value.content
    if name == "get" and isinstance(content, dict) and arguments is not None:
        key = arguments.get(0, "key")
        if isinstance(key, Scalar) and key.value in content:
            return json_value(content[key.value])
        return UNKNOWN
    if isinstance(content, dict) and name in ("keys", "values", "items"):
        values = [json_value(each) for each in content.values()]
        return _view(name, [json_value(key) for key in content], values)
    return UNKNOWN


def _view(name: str, keys: list[Value], values: list[Value]) -> Value:
    """Return what ``keys()``, ``values()`` or ``items()`` of a dict returns."""
    parts = {"keys": keys, "values": values}.get(name)
    if parts is None:
        parts = [sequence_of(pair, "tuple") for pair in zip(keys, values, strict=True)]
    return Iterated(f"dict_{name}", sequence_of(tuple(parts)))
