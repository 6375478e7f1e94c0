"""Lists, tuples, dicts, texts and arrays: their items."""

from __future__ import annotations

import ast
from collections.abc import Sequence as Many

from slipway.check.inference import numpy
from slipway.check.inference.interpreter.machine import Machine
from slipway.check.inference.objects import (
    DictContent,
    Iterated,
    Json,
    ListContent,
    Method,
    Missing,
    Reference,
    Request,
    Response,
    ResponseSender,
    Tensor,
    sequence_of,
)
from slipway.check.inference.triton_config import json_value
from slipway.check.inference.values import (
    ABSENT,
    UNKNOWN,
    Array,
    Opaque,
    Scalar,
    Sequence,
    Value,
    join,
    members,
)

INDEXABLE = (Tensor, Request, Response, ResponseSender)


class Items(Machine):
    """Reads and changes items."""

    def joined(self, values: Many[Value]) -> Value:
        """Return the one value, or the union."""
        return values[0] if len(values) == 1 else join(values)

    def has_items(self, value: Value) -> bool | None:
        """Return whether a list, tuple or dict has items; ``None`` if that is not known."""
        sequence = self.content(value)
        if sequence is not None:
            if sequence.items is not None:
                return bool(sequence.items)
            return True if sequence.per_request else None
        content = self.state.contents.get(value.site) if isinstance(value, Reference) else None
        if isinstance(content, DictContent):
            return (
                True
                if content.items and not content.summary
                else (False if content.others is None and not content.items else None)
            )
        return None

    def contains(self, container: Value, item: Value) -> bool | None:
        """Return whether ``item in container``; ``None`` if that is not known."""
        if not isinstance(item, Scalar) or item.value is ABSENT:
            return None
        if isinstance(container, Json):
            return item.value in container.content or None
        sequence = self.content(container)
        if sequence is not None and sequence.items is not None:
            values = [each.value for each in sequence.items if isinstance(each, Scalar)]
            if item.value in values:
                return True
            return False if len(values) == len(sequence.items) and ABSENT not in values else None
        return None

    def item(self, value: Value, index: Value, node: ast.expr) -> Value:
        """Return an item of a value that is no union."""
        if isinstance(value, Array):
            index = self.resolve(index)
            return self.each(index, lambda one: numpy.index(value, one))
        if isinstance(value, Json):
            key = index.value if isinstance(index, Scalar) else ABSENT
            try:
                return json_value(value.content[key])
            except (KeyError, IndexError, TypeError):
                return UNKNOWN
        if isinstance(value, Scalar) and value.kind in ("str", "bytes"):
            is_number = value.kind == "bytes" and isinstance(index, Scalar)
            return Scalar("int") if is_number else Scalar(value.kind)
        if isinstance(value, Missing):
            return self.fail("missing", node, "[…]", "", value)
        if isinstance(value, INDEXABLE):
            return self._not_subscriptable(value, node)
        if isinstance(value, Method) and isinstance(value.receiver, INDEXABLE):
            what = f"{value.name} is a method: it cannot be indexed"
            return self.fail("attribute", node, what, f"call it: .{value.name}()[…]", value)
        sequence = self.content(value)
        if sequence is not None and not isinstance(value, Iterated):
            return self._item_of(sequence, index, node)
        content = self.state.contents.get(value.site) if isinstance(value, Reference) else None
        if isinstance(content, DictContent):
            return lookup(content, index)
        return UNKNOWN

    def _not_subscriptable(self, value: Value, node: ast.expr) -> Value:
        title = type(value).__name__
        fix = {
            "Tensor": "index its array: .as_numpy()[…]",
            "Request": 'pb_utils.get_input_tensor_by_name(request, "…")',
            "Response": 'pb_utils.get_output_tensor_by_name(response, "…")',
        }.get(title, "remove the index")
        return self.fail("attribute", node, f"a {title} cannot be indexed", fix, value)

    def _item_of(self, sequence: Sequence, index: Value, node: ast.expr) -> Value:
        if index == Opaque("slice"):
            element = Sequence(None, sequence.element, sequence.kind)
            return self.new_list(element, node) if sequence.kind == "list" else element
        number = index.value if isinstance(index, Scalar) else ABSENT
        if sequence.items is not None and isinstance(number, int):
            inside = -len(sequence.items) <= number < len(sequence.items)
            return sequence.items[number] if inside else UNKNOWN
        return sequence.element if isinstance(index, Scalar | Array) else UNKNOWN

    def store_item(self, value: Value, index: Value, item: Value) -> None:
        """Set an item of a container."""
        for member in members(value):
            if not isinstance(member, Reference):
                continue
            content = self.state.contents.get(member.site)
            key = index.value if isinstance(index, Scalar) else ABSENT
            if isinstance(content, DictContent):
                items = dict(content.items)
                others = content.others
                if key is not ABSENT:
                    weak = content.summary or member is not value
                    old = items.get(key, others)
                    items[key] = item if old is None or not weak else join((old, item))
                else:
                    others = item if others is None else join((others, item))
                    items = {name: join((old, item)) for name, old in items.items()}
                changed = DictContent(items, others, content.summary)
                self.state.contents[member.site] = changed
            elif isinstance(content, ListContent):
                element = join((content.sequence.element, item))
                sequence = Sequence(None, element, "list", content.sequence.per_request)
                self.state.contents[member.site] = ListContent(sequence, content.summary)

    def operate_sequences(self, symbol: str, left: Value, right: Value, node: ast.AST) -> Value:
        """Return the result of an operator on lists or tuples."""
        first, second = self.content(left), self.content(right)
        if symbol == "+" and first is not None and second is not None:
            if first.kind != second.kind:
                return UNKNOWN
            return self._made(concatenated(first, second), node)
        sequence, count = (first, right) if first is not None else (second, left)
        if symbol == "*" and sequence is not None:
            number = count.value if isinstance(count, Scalar) else ABSENT
            if sequence.items is not None and isinstance(number, int) and 0 < number < 8:
                return self._made(sequence_of(sequence.items * number, sequence.kind), node)
            return self._made(Sequence(None, sequence.element, sequence.kind), node)
        return UNKNOWN

    def _made(self, sequence: Sequence, node: ast.AST) -> Value:
        return self.new_list(sequence, node) if sequence.kind == "list" else sequence

    def iterate(self, value: Value) -> Sequence:
        """Return what a loop over a value runs over, as far as it is known."""
        if isinstance(value, Array):
            return Sequence(None, numpy.index(value, Scalar("int")))
        if isinstance(value, Json) and isinstance(value.content, list):
            return sequence_of(tuple(json_value(item) for item in value.content))
        if isinstance(value, Json):
            return sequence_of(tuple(json_value(key) for key in value.content))
        if isinstance(value, Scalar) and value.kind in ("str", "bytes"):
            return Sequence(None, Scalar("str") if value.kind == "str" else Scalar("int"))
        sequence = self.content(value)
        return Sequence() if sequence is None else sequence


def concatenated(first: Sequence, second: Sequence) -> Sequence:
    if first.items is not None and second.items is not None:
        return sequence_of(first.items + second.items, first.kind)
    parts = [each.element for each in (first, second) if each.items != ()]
    return Sequence(None, join(parts), first.kind)


def lookup(content: DictContent, index: Value, default: Value | None = None) -> Value:
    key = index.value if isinstance(index, Scalar) else ABSENT
    if key is not ABSENT and key in content.items and not content.summary:
        return content.items[key]
    if content.others is None and not content.summary and key is not ABSENT:
        return UNKNOWN if default is None else default
    return UNKNOWN
