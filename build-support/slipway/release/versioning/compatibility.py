"""Judge which part of semantic versioning a change of a served model requires.

A release is incompatible (major) if a request that was valid before may now be refused, or if an
answer lacks an output, or has another type or shape. Other values in an answer are minor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, get_args

from slipway.model.interface import Interface, Tensor
from slipway.triton import onnx_parameters
from slipway.triton.config import ModelConfig

# in rising order
VersionPart = Literal["patch", "minor", "major"]
PARTS: tuple[VersionPart, ...] = get_args(VersionPart)
# fields that affect speed and monitoring, but not the answers
SPEED = {
    "instance_group",
    "dynamic_batching",
    "model_warmup",
    "response_cache",
    "metric_tags",
    "model_metrics",
}
# parameters of the ONNX Runtime backend that do the same
SPEED_PARAMETERS = {
    onnx_parameters.INTRA_OP,
    onnx_parameters.INTER_OP,
    onnx_parameters.EXECUTION_MODE,
    onnx_parameters.ARENA,
    onnx_parameters.PATTERN,
    onnx_parameters.SHRINKAGE,
}
# packing writes it: the place of the environment, which is compared by itself
OWN_PARAMETER = "EXECUTION_ENV_PATH"


class Reason(NamedTuple):
    """One change, and the part of the release version that it calls for."""

    part: VersionPart
    what: str


def interface_changes(before: Interface, after: Interface) -> Iterator[Reason]:
    """Yield the changes of a served model's inputs, outputs and batches."""
    yield from _inputs(before.inputs, after.inputs)
    yield from _outputs(before.outputs, after.outputs)
    was, now = before.max_batch_size, after.max_batch_size
    if before.batches != after.batches:
        how = "now takes batches" if after.batches else "no longer takes batches"
        yield Reason("major", f"it {how}: every tensor's shape has another number of dimensions")
    elif was != now:
        yield Reason("major" if now < was else "minor", f"max_batch_size {was} → {now}")


def config_changes(
    name: str, before: ModelConfig, after: ModelConfig, served: bool
) -> Iterator[Reason]:
    """Yield the changes in the config of the model ``name``, without comments and spaces. For the
    ``served`` model, those that :func:`interface_changes` yields are left out.
    """
    if served:
        was, now = _decoupled(before), _decoupled(after)
        if was != now:
            yield Reason("major", f"{name}: decoupled {_lower(was)} → {_lower(now)}")
        was, now = before.HasField("sequence_batching"), after.HasField("sequence_batching")
        if was != now:
            how = "needs" if now else "takes no"
            yield Reason("major", f"{name}: a request {how} a sequence's id (sequence_batching)")
    for field in _changed_fields(before, after):
        if served and field in ("input", "output", "max_batch_size"):
            if field != "max_batch_size" and _differs_beyond_interface(before, after, field):
                yield Reason("minor", f"{name}: {field}")
        elif field in SPEED:
            yield Reason("patch", f"{name}: {field}")
        elif field == "parameters" and _changed_parameters(before, after) <= SPEED_PARAMETERS:
            yield Reason("patch", f"{name}: {_describe(field, before, after)}")
        else:
            yield Reason("minor", f"{name}: {_describe(field, before, after)}")


def highest_part(reasons: list[Reason]) -> VersionPart | None:
    """Return the part that all ``reasons`` together require; ``None`` without reasons."""
    return max((reason.part for reason in reasons), key=PARTS.index, default=None)


def _inputs(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> Iterator[Reason]:
    renamed = _renamed(before, after)
    for name, was in before.items():
        now = after.get(name)
        if now is None:
            yield Reason("major", _describe_missing("input", name, renamed))
            continue
        if was.datatype != now.datatype:
            yield Reason("major", f"input {name!r}: {was.datatype} → {now.datatype}")
        if was.dims != now.dims:
            part: VersionPart = "minor" if _covers(now.dims, was.dims) else "major"
            yield Reason(part, f"input {name!r}: dims {list(was.dims)} → {list(now.dims)}")
        if was.optional != now.optional:
            how = "is now optional" if now.optional else "is now required"
            yield Reason("minor" if now.optional else "major", f"input {name!r} {how}")
    for name in sorted(after.keys() - before.keys() - set(renamed.values())):
        how = "new and optional" if after[name].optional else "new and required"
        yield Reason("minor" if after[name].optional else "major", f"input {name!r} is {how}")


def _outputs(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> Iterator[Reason]:
    renamed = _renamed(before, after)
    for name, was in before.items():
        now = after.get(name)
        if now is None:
            yield Reason("major", _describe_missing("output", name, renamed))
            continue
        if was.datatype != now.datatype:
            yield Reason("major", f"output {name!r}: {was.datatype} → {now.datatype}")
        if was.dims != now.dims:
            # a caller that accepts any size accepts a fixed one
            part: VersionPart = "minor" if _covers(was.dims, now.dims) else "major"
            yield Reason(part, f"output {name!r}: dims {list(was.dims)} → {list(now.dims)}")
    for name in sorted(after.keys() - before.keys() - set(renamed.values())):
        yield Reason("minor", f"output {name!r} is new")


def _renamed(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> dict[str, str]:
    """Return the old and the new name of a tensor if only its name changed."""
    gone, new = before.keys() - after.keys(), after.keys() - before.keys()
    if len(gone) == len(new) == 1:
        (old,), (other,) = gone, new
        if before[old] == after[other]:
            return {old: other}
    return {}


def _describe_missing(kind: str, name: str, renamed: Mapping[str, str]) -> str:
    if name in renamed:
        return f"{kind} {name!r} was renamed to {renamed[name]!r}"
    return f"{kind} {name!r} is gone"


def _covers(wide: tuple[int, ...], narrow: tuple[int, ...]) -> bool:
    """Return whether ``wide`` allows every shape that ``narrow`` allows; -1 is any size."""
    return len(wide) == len(narrow) and all(w in (-1, n) for w, n in zip(wide, narrow, strict=True))


def _decoupled(served: ModelConfig) -> bool:
    return bool(served.model_transaction_policy.decoupled)


def _lower(value: bool) -> str:
    return "true" if value else "false"


def _changed_fields(before: ModelConfig, after: ModelConfig) -> list[str]:
    fields = []
    for field in before.DESCRIPTOR.fields:
        was, now = _value(before, field.name), _value(after, field.name)
        if was != now:
            fields.append(field.name)
    return fields


def _changed_parameters(before: ModelConfig, after: ModelConfig) -> set[str]:
    was, now = _value(before, "parameters"), _value(after, "parameters")
    return {key for key in {*was, *now} if was.get(key) != now.get(key)}


def _value(message: ModelConfig, field: str) -> Any:
    """Return a field's value in a form that can be compared; messages as their bytes."""
    if field == "parameters":
        return {k: v.string_value for k, v in message.parameters.items() if k != OWN_PARAMETER}
    value = getattr(message, field)
    if hasattr(value, "SerializeToString"):
        # an empty message, for example dynamic_batching {}, differs from an absent one
        return message.HasField(field), value.SerializeToString(deterministic=True)
    if hasattr(value, "items"):
        return {key: str(item) for key, item in value.items()}
    if isinstance(value, str | int | float):
        return value
    return [
        item.SerializeToString(deterministic=True) if hasattr(item, "SerializeToString") else item
        for item in value
    ]


def _differs_beyond_interface(before: ModelConfig, after: ModelConfig, field: str) -> bool:
    """Return whether tensors of both differ beyond their interface, for example in labels."""
    was = {tensor.name: tensor for tensor in getattr(before, field)}
    now = {tensor.name: tensor for tensor in getattr(after, field)}
    return any(
        _without_interface(was[name]) != _without_interface(now[name])
        for name in was.keys() & now.keys()
    )


def _without_interface(tensor: Any) -> bytes:
    copy = type(tensor)()
    copy.CopyFrom(tensor)
    for field in ("dims", "data_type", "optional"):
        if field in copy.DESCRIPTOR.fields_by_name:
            copy.ClearField(field)
    return bytes(copy.SerializeToString(deterministic=True))


def _describe(field: str, before: ModelConfig, after: ModelConfig) -> str:
    if field == "parameters":
        was, now = _value(before, field), _value(after, field)
        keys = sorted(_changed_parameters(before, after))
        return ", ".join(f"{key} {was.get(key, '—')} → {now.get(key, '—')}" for key in keys)
    was, now = getattr(before, field), getattr(after, field)
    if isinstance(was, str | int):
        return f"{field} {was or '—'} → {now or '—'}"
    return field
