"""What a reader of text asks of the fields of a message, once for each message type."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

# a message's descriptor, created at run time
type Descriptor = Any


class FieldKind(NamedTuple):
    """A field of a message.

    ``group`` is the name of its oneof, otherwise its own: of a group, one field may be set.
    """

    name: str
    type: int
    message_type: Descriptor | None
    enum_type: Any
    is_repeated: bool
    is_map: bool
    group: str


@cache  # there are as many as message types
def field_kinds(descriptor: Descriptor) -> dict[str, FieldKind]:
    """Return the fields of a message by their names, in its order."""
    return {field.name: _kind_of(field) for field in descriptor.fields}


def is_repeated(field: Any) -> bool:
    """Return whether a field of a descriptor is a list or a map."""
    repeated = getattr(field, "is_repeated", None)  # protobuf ≥ 6.31; `label` is deprecated there
    return bool(field.label == field.LABEL_REPEATED if repeated is None else repeated)


def _kind_of(field: Any) -> FieldKind:
    inner = field.message_type
    return FieldKind(
        field.name,
        field.type,
        inner,
        field.enum_type,
        is_repeated(field),
        inner is not None and inner.GetOptions().map_entry,
        field.name if field.containing_oneof is None else f"oneof {field.containing_oneof.name}",
    )
