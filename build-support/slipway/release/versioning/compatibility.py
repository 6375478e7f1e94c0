"""What a change of a served model means for those who ask it: semantic versioning's three parts.

A release is incompatible (major) if a request that was answered before may be refused now, or if
an answer lacks what it had, or has another type or shape. That an answer is another one is minor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, get_args

from slipway.model.interface import Interface, Tensor
from slipway.triton.config import ModelConfig

# in rising order
VersionPart = Literal["patch", "minor", "major"]
PARTS: tuple[VersionPart, ...] = get_args(VersionPart)
# how fast a model answers, and what is watched of it, but not what it answers
SPEED = {
    "instance_group",
    "dynamic_batching",
    "model_warmup",
    "response_cache",
    "metric_tags",
    "model_metrics",
}
# packing writes it: where the environment lies, which its own comparison tells
OWN_PARAMETER = "EXECUTION_ENV_PATH"


class Reason(NamedTuple):
    """One change, and the part of the release version that it calls for."""

    part: VersionPart
    what: str


def interface_changes(before: Interface, after: Interface) -> Iterator[Reason]:
    """What changed in a served model's inputs, outputs and batches."""
    yield from _inputs(before.inputs, after.inputs)
    yield from _outputs(before.outputs, after.outputs)
    was, now = before.max_batch_size, after.max_batch_size
    if before.batches != after.batches:
        how = "takes batches now" if after.batches else "takes no batches any more"
        yield Reason("major", f"it {how}: every tensor's shape has another number of dimensions")
    elif was != now:
        yield Reason("major" if now < was else "minor", f"max_batch_size {was} → {now}")


def config_changes(
    name: str, before: ModelConfig, after: ModelConfig, served: bool
) -> Iterator[Reason]:
    """What changed in the config of the model ``name``; of the ``served`` one, without what
    :func:`interface_changes` tells. Nothing if only comments and spaces did.
    """
    if served:
        was, now = _decoupled(before), _decoupled(after)
        if was != now:
            yield Reason("major", f"{name}: decoupled {_word(was)} → {_word(now)}")
        was, now = before.HasField("sequence_batching"), after.HasField("sequence_batching")
        if was != now:
            how = "needs" if now else "takes no"
            yield Reason("major", f"{name}: a request {how} a sequence's id (sequence_batching)")
    for field in _changed_fields(before, after):
        if served and field in ("input", "output", "max_batch_size"):
            if field != "max_batch_size" and _beside_interface(before, after, field):
                yield Reason("minor", f"{name}: {field}")
        elif field in SPEED:
            yield Reason("patch", f"{name}: {field}")
        else:
            yield Reason("minor", f"{name}: {_shown(field, before, after)}")


def highest_part(reasons: list[Reason]) -> VersionPart | None:
    """The part that all ``reasons`` together call for."""
    return max((reason.part for reason in reasons), key=PARTS.index, default=None)


def _inputs(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> Iterator[Reason]:
    renamed = _renamed(before, after)
    for name, was in before.items():
        now = after.get(name)
        if now is None:
            yield Reason("major", _gone("input", name, renamed))
            continue
        if was.datatype != now.datatype:
            yield Reason("major", f"input {name!r}: {was.datatype} → {now.datatype}")
        if was.dims != now.dims:
            part: VersionPart = "minor" if _covers(now.dims, was.dims) else "major"
            yield Reason(part, f"input {name!r}: dims {list(was.dims)} → {list(now.dims)}")
        if was.optional != now.optional:
            how = "may be left out now" if now.optional else "has to be given now"
            yield Reason("minor" if now.optional else "major", f"input {name!r} {how}")
    for name in sorted(after.keys() - before.keys() - set(renamed.values())):
        how = "new and optional" if after[name].optional else "new, and has to be given"
        yield Reason("minor" if after[name].optional else "major", f"input {name!r} is {how}")


def _outputs(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> Iterator[Reason]:
    renamed = _renamed(before, after)
    for name, was in before.items():
        now = after.get(name)
        if now is None:
            yield Reason("major", _gone("output", name, renamed))
            continue
        if was.datatype != now.datatype:
            yield Reason("major", f"output {name!r}: {was.datatype} → {now.datatype}")
        if was.dims != now.dims:
            # who copes with any size copes with a fixed one
            part: VersionPart = "minor" if _covers(was.dims, now.dims) else "major"
            yield Reason(part, f"output {name!r}: dims {list(was.dims)} → {list(now.dims)}")
    for name in sorted(after.keys() - before.keys() - set(renamed.values())):
        yield Reason("minor", f"output {name!r} is new")


def _renamed(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> dict[str, str]:
    """The one that is gone and the one that is new, where they are alike but for the name."""
    gone, new = before.keys() - after.keys(), after.keys() - before.keys()
    if len(gone) == len(new) == 1:
        (old,), (other,) = gone, new
        if before[old] == after[other]:
            return {old: other}
    return {}


def _gone(kind: str, name: str, renamed: Mapping[str, str]) -> str:
    if name in renamed:
        return f"{kind} {name!r} is called {renamed[name]!r} now"
    return f"{kind} {name!r} is gone"


def _covers(wide: tuple[int, ...], narrow: tuple[int, ...]) -> bool:
    """Whether every shape that ``narrow`` allows is one of ``wide``'s; -1 is any size."""
    return len(wide) == len(narrow) and all(w in (-1, n) for w, n in zip(wide, narrow, strict=True))


def _decoupled(served: ModelConfig) -> bool:
    return bool(served.model_transaction_policy.decoupled)


def _word(value: bool) -> str:
    return "true" if value else "false"


def _changed_fields(before: ModelConfig, after: ModelConfig) -> list[str]:
    found = []
    for field in before.DESCRIPTOR.fields:
        was, now = _value(before, field.name), _value(after, field.name)
        if was != now:
            found.append(field.name)
    return found


def _value(message: ModelConfig, field: str) -> Any:
    """A field's value, as it can be compared; messages as their bytes, which equal ones share."""
    if field == "parameters":
        return {k: v.string_value for k, v in message.parameters.items() if k != OWN_PARAMETER}
    value = getattr(message, field)
    if hasattr(value, "SerializeToString"):
        # a message that is there and empty, such as dynamic_batching {}, is not one that is absent
        return message.HasField(field), value.SerializeToString(deterministic=True)
    if hasattr(value, "items"):
        return {key: str(each) for key, each in value.items()}
    if isinstance(value, str | int | float):
        return value
    return [
        each.SerializeToString(deterministic=True) if hasattr(each, "SerializeToString") else each
        for each in value
    ]


def _beside_interface(before: ModelConfig, after: ModelConfig, field: str) -> bool:
    """Whether tensors of both differ in what an interface does not say, such as their labels."""
    was = {tensor.name: tensor for tensor in getattr(before, field)}
    now = {tensor.name: tensor for tensor in getattr(after, field)}
    return any(_rest(was[name]) != _rest(now[name]) for name in was.keys() & now.keys())


def _rest(tensor: Any) -> bytes:
    copy = type(tensor)()
    copy.CopyFrom(tensor)
    for told in ("dims", "data_type", "optional"):
        if told in copy.DESCRIPTOR.fields_by_name:
            copy.ClearField(told)
    return bytes(copy.SerializeToString(deterministic=True))


def _shown(field: str, before: ModelConfig, after: ModelConfig) -> str:
    if field == "parameters":
        was, now = _value(before, field), _value(after, field)
        keys = sorted(key for key in {*was, *now} if was.get(key) != now.get(key))
        return ", ".join(f"{key} {was.get(key, '—')} → {now.get(key, '—')}" for key in keys)
    was, now = getattr(before, field), getattr(after, field)
    if isinstance(was, str | int):
        return f"{field} {was or '—'} → {now or '—'}"
    return field
