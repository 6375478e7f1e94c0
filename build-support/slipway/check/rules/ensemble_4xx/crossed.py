"""Two entries of a step's map whose tensors are exchanged, and how uses of a tensor compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from slipway.check.tensors.flow import Flow, TensorUse

type TensorKey = tuple[int, str]
"""A step's number, and the name of a tensor of its model."""


class Crossing(NamedTuple):
    """The two entries, how to fix them, and whether the types show it."""

    entries: frozenset[TensorKey]
    fix: str
    types_differ: bool


def crossing(flow: Flow, ends: Iterable[TensorUse], name: str) -> Crossing | None:
    """Return the crossing that explains why ``ends`` contradict each other about ``name``."""
    for use in ends:
        crossed = _crossed_with(flow, use, name)
        if crossed is None or use.step is None:
            continue
        entry, tensor = crossed
        ends_of_both = [(use, end) for end in _other_ends(flow, use, name)]
        ends_of_both += [(entry, end) for end in _other_ends(flow, entry, tensor)]
        return Crossing(
            frozenset({(use.step.number, use.name), (use.step.number, entry.name)}),
            f"did you mean {tensor!r}? {use.name!r} and {entry.name!r} of {use.step} are crossed",
            any(types_differ(a, b) for a, b in ends_of_both),
        )
    return None


def _crossed_with(flow: Flow, use: TensorUse, name: str) -> tuple[TensorUse, str] | None:
    """Return the only entry of the same map, and its tensor, that fits here as this fits there."""
    side = next((side for side in (flow.readers, flow.writers) if use in side.get(name, ())), {})
    candidates = [
        (entry, tensor)
        for tensor, uses in side.items()
        for entry in uses
        if tensor != name and entry.step is use.step
        if _fits(entry, name, flow) and _fits(use, tensor, flow)
    ]
    return candidates[0] if len(candidates) == 1 else None


def _fits(entry: TensorUse, name: str, flow: Flow) -> bool:
    """Return whether an entry is what all other steps, and the ensemble, make of ``name``."""
    ends = _other_ends(flow, entry, name)
    return (
        entry.tensor is not None
        and bool(ends)
        and not any(types_differ(entry, end) or shapes_differ(entry, end) for end in ends)
    )


def _other_ends(flow: Flow, entry: TensorUse, name: str) -> list[TensorUse]:
    return [use for use in flow.uses(name) if use.step is not entry.step and use.tensor is not None]


def types_differ(first: TensorUse, other: TensorUse) -> bool:
    """Return whether two known uses have different data types."""
    types = (first.tensor.data_type, other.tensor.data_type)
    return all(types) and types[0] != types[1]


def shapes_differ(first: TensorUse, other: TensorUse) -> bool:
    """Return whether the shapes of two known uses exclude each other."""
    if not first.dims or not other.dims:
        return False
    return not agree(first.dims, other.dims) and not agree(full_dims(first), full_dims(other))


def agree(first: Sequence[int], other: Sequence[int]) -> bool:
    """Return whether two shapes are equal, where -1 equals any size."""
    if len(first) != len(other):
        return False
    return all(a == b or -1 in (a, b) for a, b in zip(first, other, strict=True))


def full_dims(use: TensorUse) -> list[int]:
    """Return the shape of a use with the batch."""
    return [-1, *use.dims] if use.batching else use.dims
