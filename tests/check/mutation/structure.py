"""Mistakes of content in a ``config.pbtxt``: dropped, doubled, retyped, rewired, reshaped."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from pathlib import Path
from random import Random
from typing import Any

from slipway.triton import config
from slipway.triton.config import ModelConfig
from slipway.triton.pbtxt import is_repeated
from tests.check.mutation.mistake import configs, shown
from tests.check.mutation.text import FREE

type Message = Any
type Change = tuple[str, Callable[[], object]]


def drop(folder: Path, random: Random) -> str | None:
    """A field, an element or an entry is missing."""
    return _edited(folder, random, lambda message: list(_drops(message, "")))


def double(folder: Path, random: Random) -> str | None:
    """A tensor, step, group or the like is there twice."""
    return _edited(folder, random, lambda message: list(_doubles(message, "")))


def retype(folder: Path, random: Random) -> str | None:
    """A tensor's type is another."""

    def changes(message: ModelConfig) -> list[Change]:
        found: list[Change] = []
        types = config.schema().DataType
        for tensor in _tensors(message):
            old = types.Name(tensor.data_type)
            new = random.choice([n for n in types.keys() if n not in (old, "TYPE_INVALID")])

            def change(tensor: Message = tensor, new: str = new) -> None:
                tensor.data_type = types.Value(new)

            found.append((f"{tensor.name} {old} → {new}", change))
        return found

    return _edited(folder, random, changes)


def reshape(folder: Path, random: Random) -> str | None:
    """A tensor's dims, its reshape, or the batch size is another."""

    def changes(message: ModelConfig) -> list[Change]:
        found = [change for tensor in _tensors(message) for change in _shapes(tensor, random)]
        old = message.max_batch_size
        for new in sorted({0, 1, old * 2} - {old}):
            text = f"max_batch_size {old} → {new}"
            found.append((text, partial(setattr, message, "max_batch_size", new)))
        return found

    return _edited(folder, random, changes)


def rewire(folder: Path, random: Random) -> str | None:
    """An edge of the ensemble leads elsewhere."""
    return _edited(folder, random, lambda message: _wires(message, random))


def _edited(
    folder: Path, random: Random, changes: Callable[[ModelConfig], list[Change]]
) -> str | None:
    path = random.choice(configs(folder))
    message = config.parse(path)
    before = config.render(message)
    found = changes(message)
    if not found:
        return None
    what, change = random.choice(found)
    change()
    after = config.render(message)
    if after == before:
        return None
    path.write_text(after, encoding="utf-8")
    return f"{shown(path, folder)}: {what}"


def _drops(message: Message, where: str) -> list[Change]:
    found: list[Change] = []
    for field, value in message.ListFields():
        if field.name == FREE:
            continue
        here = f"{where}{field.name}"
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            for key in sorted(value):
                found.append((f"without {here}[{key}]", partial(value.__delitem__, key)))
        elif is_repeated(field):
            for at in range(len(value)):
                found.append((f"without {here}[{at}]", partial(value.pop, at)))
                if field.message_type is not None:
                    found += _drops(value[at], f"{here}[{at}].")
        else:
            found.append((f"without {here}", partial(message.ClearField, field.name)))
            if field.message_type is not None:
                found += _drops(value, f"{here}.")
    return found


def _doubles(message: Message, where: str) -> list[Change]:
    found: list[Change] = []
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        here = f"{where}{field.name}"
        if is_repeated(field):
            for at, element in enumerate(value):
                again = (f"{here}[{at}] twice", partial(value.extend, [element]))
                found += [again, *_doubles(element, f"{here}[{at}].")]
        else:
            found += _doubles(value, f"{here}.")
    return found


def _tensors(message: ModelConfig) -> list[Message]:
    return [*message.input, *message.output]


def _shapes(tensor: Message, random: Random) -> list[Change]:
    old = list(tensor.dims)
    at = random.randrange(len(old))
    shapes = [
        [*old[:at], old[at] + 1 if old[at] > 0 else 3, *old[at + 1 :]],
        [*old[:at], -1 if old[at] > 0 else 2, *old[at + 1 :]],
        [*old, 1],
        [1, *old],
        old[:at] + old[at + 1 :],
        old[::-1],
    ]
    found: list[Change] = []
    for new in shapes:
        if new != old:

            def change(new: list[int] = new) -> None:
                tensor.dims[:] = new

            found.append((f"{tensor.name} dims {old} → {new}", change))
    for new in ([1, *old], [prod(old)] if min(old) > 0 else [*old, 1], [2, *old]):

        def reshaped(new: list[int] = new) -> None:
            tensor.reshape.shape[:] = new

        found.append((f"{tensor.name} reshape {list(tensor.reshape.shape)} → {new}", reshaped))
    return found


def _wires(message: ModelConfig, random: Random) -> list[Change]:
    steps = message.ensemble_scheduling.step
    found: list[Change] = []
    maps = [(n, side, getattr(s, side)) for n, s in enumerate(steps, 1) for side in SIDES]
    tensors = sorted(
        {tensor.name for tensor in _tensors(message)}
        | {value for _, _, wires in maps for value in wires.values()}
    )
    for number, side, wires in maps:
        keys = sorted(wires)
        for key in keys:
            for other in (tensor for tensor in tensors if tensor != wires[key]):

                def led(wires: Any = wires, key: str = key, other: str = other) -> None:
                    wires[key] = other

                found.append((f"step {number} {side}[{key}] {wires[key]} → {other}", led))
        if len(keys) > 1:
            one, two = random.sample(keys, 2)

            def swapped(wires: Any = wires, one: str = one, two: str = two) -> None:
                wires[one], wires[two] = wires[two], wires[one]

            found.append((f"step {number} {side}: {one} and {two} swapped", swapped))
    for number, step in enumerate(steps, 1):
        for other in sorted({s.model_name for s in steps} - {step.model_name}):

            def named(step: Message = step, other: str = other) -> None:
                step.model_name = other

            found.append((f"step {number} model_name {step.model_name} → {other}", named))
    return found


SIDES = ("input_map", "output_map")
