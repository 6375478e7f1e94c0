"""What kind of value an abstract value certainly is, and what to call it."""

from __future__ import annotations

from slipway.check.inference.objects import (
    Class,
    ConfigText,
    Coroutine,
    External,
    Function,
    Instance,
    Iterated,
    Json,
    Method,
    Reference,
    Request,
    Response,
    ResponseSender,
    Tensor,
    is_none,
)
from slipway.check.inference.values import (
    Array,
    DType,
    Opaque,
    Scalar,
    Sequence,
    Unknown,
    Value,
    members,
)

ERROR = Opaque("TritonError")
TITLES: dict[type[Value], str] = {
    Request: "an InferenceRequest",
    Response: "an InferenceResponse",
    Tensor: "a Tensor",
    ResponseSender: "a response sender",
    Array: "an array",
    Coroutine: "a coroutine",
    Function: "a function",
    Method: "a method",
    DType: "a dtype",
    Class: "a class",
    ConfigText: "a str",
}
NUMBERS = ("bool", "int", "float", "complex")


def describe(value: Value) -> str:
    """Return what to call a value in a message: "a list", "a number or None"."""
    titles = sorted({_describe(member) for member in members(value)})
    return " or ".join(titles)


def _describe(value: Value) -> str:
    if isinstance(value, Scalar):
        if value.kind in NUMBERS:
            return "a number"
        return "bytes" if value.kind == "bytes" else "a str"
    if is_none(value):
        return "None"
    if isinstance(value, Array) and value.is_scalar:
        return "a number" if value.dtype not in ("str", "bytes") else "a str"
    if isinstance(value, Sequence | Reference):
        return f"a {value.kind}"
    if isinstance(value, Json):
        return f"a {type(value.content).__name__}"
    if isinstance(value, Iterated):
        return f"a {value.type_name}"
    if isinstance(value, Opaque):
        return f"a{'n' if value.type_name[0] in 'aeiou' else ''} {value.type_name}"
    return TITLES.get(type(value), "an object")


def is_open(value: Value) -> bool:
    """Return whether the type of a value that is no union is not known."""
    if isinstance(value, Instance):
        return not value.cls.is_known
    return isinstance(value, Unknown | External)


def is_text(value: Value) -> bool | None:
    """Return whether a value that is no union is a text; ``None`` if that is not known."""
    if isinstance(value, Scalar):
        return value.kind in ("str", "bytes")
    if isinstance(value, Array) and value.is_scalar:
        return None if value.dtype is None else value.dtype in ("str", "bytes")
    return True if isinstance(value, ConfigText) else _closed(value)


def is_array(value: Value) -> bool | None:
    """Return whether a value that is no union is a numpy array; ``None`` if not known."""
    return not value.is_scalar if isinstance(value, Array) else _closed(value)


def is_a(value: Value, *types: type[Value]) -> bool | None:
    """Return whether a value that is no union is of one of the types; ``None`` if not known."""
    return True if isinstance(value, types) else _closed(value)


def _closed(value: Value) -> bool | None:
    return None if is_open(value) else False
