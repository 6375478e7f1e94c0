"""Mistakes in the content of a ``config.pbtxt``: dropped, doubled, retyped, rewired, reshaped."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from pathlib import Path
from random import Random
from typing import Any

from slipway.triton import config
from slipway.triton.config import ModelConfig
from slipway.triton.field_kinds import is_repeated
from tests.check.mutation.mistake import configs, relative_name
from tests.check.mutation.text import FREE

type Message = Any
type Change = tuple[str, Callable[[], object]]


def drop(folder: Path, random: Random) -> str | None:
    """Remove a field, an element or an entry."""
    return _apply_one(folder, random, lambda message: list(_drops(message, "")))


def double(folder: Path, random: Random) -> str | None:
    """Duplicate a tensor, step, group or another element."""
    return _apply_one(folder, random, lambda message: list(_doubles(message, "")))


def retype(folder: Path, random: Random) -> str | None:
    """Change a tensor's type."""

    def changes(message: ModelConfig) -> list[Change]:
        changes_found: list[Change] = []
        types = config.schema().DataType
        for tensor in _tensors(message):
            old = types.Name(tensor.data_type)
            new = random.choice([n for n in list(types.keys()) if n not in (old, "TYPE_INVALID")])

            def change(tensor: Message = tensor, new: str = new) -> None:
                tensor.data_type = types.Value(new)

            changes_found.append((f"{tensor.name} {old} → {new}", change))
        return changes_found

    return _apply_one(folder, random, changes)


def reshape(folder: Path, random: Random) -> str | None:
    """Change a tensor's dims, its reshape, or the batch size."""

    def changes(message: ModelConfig) -> list[Change]:
        changes_found = [
            change for tensor in _tensors(message) for change in _shapes(tensor, random)
        ]
        old = message.max_batch_size
        for new in sorted({0, 1, old * 2} - {old}):
            text = f"max_batch_size {old} → {new}"
            changes_found.append((text, partial(setattr, message, "max_batch_size", new)))
        return changes_found

    return _apply_one(folder, random, changes)


def rewire(folder: Path, random: Random) -> str | None:
    """Redirect an edge of the ensemble."""
    return _apply_one(folder, random, lambda message: _wires(message, random))


def _apply_one(
    folder: Path, random: Random, changes: Callable[[ModelConfig], list[Change]]
) -> str | None:
    path = random.choice(configs(folder))
    message = config.load_config(path)
    before = config.render(message)
    changes_found = changes(message)
    if not changes_found:
        return None
    what, change = random.choice(changes_found)
    change()
    after = config.render(message)
    if after == before:
        return None
    path.write_text(after, encoding="utf-8")
    return f"{relative_name(path, folder)}: {what}"


def _drops(message: Message, where: str) -> list[Change]:
    changes_found: list[Change] = []
    for field, value in message.ListFields():
        if field.name == FREE:
            continue
        field_path = f"{where}{field.name}"
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            for key in sorted(value):
                changes_found.append(
                    (f"without {field_path}[{key}]", partial(value.__delitem__, key))
                )
        elif is_repeated(field):
            for at in range(len(value)):
                changes_found.append((f"without {field_path}[{at}]", partial(value.pop, at)))
                if field.message_type is not None:
                    changes_found += _drops(value[at], f"{field_path}[{at}].")
        else:
            changes_found.append((f"without {field_path}", partial(message.ClearField, field.name)))
            if field.message_type is not None:
                changes_found += _drops(value, f"{field_path}.")
    return changes_found


def _doubles(message: Message, where: str) -> list[Change]:
    changes_found: list[Change] = []
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        field_path = f"{where}{field.name}"
        if is_repeated(field):
            for at, element in enumerate(value):
                duplicate = (f"{field_path}[{at}] twice", partial(value.extend, [element]))
                changes_found += [duplicate, *_doubles(element, f"{field_path}[{at}].")]
        else:
            changes_found += _doubles(value, f"{field_path}.")
    return changes_found


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
    changes_found: list[Change] = []
    for new in shapes:
        if new != old:

            def change(new: list[int] = new) -> None:
                tensor.dims[:] = new

            changes_found.append((f"{tensor.name} dims {old} → {new}", change))
    for new in ([1, *old], [prod(old)] if min(old) > 0 else [*old, 1], [2, *old]):

        def change_reshape(new: list[int] = new) -> None:
            tensor.reshape.shape[:] = new

        changes_found.append(
            (f"{tensor.name} reshape {list(tensor.reshape.shape)} → {new}", change_reshape)
        )
    return changes_found


def _wires(message: ModelConfig, random: Random) -> list[Change]:
    steps = message.ensemble_scheduling.step
    changes_found: list[Change] = []
    maps = [(n, side, getattr(s, side)) for n, s in enumerate(steps, 1) for side in SIDES]
    tensors = sorted(
        {tensor.name for tensor in _tensors(message)}
        | {value for _, _, wires in maps for value in wires.values()}
    )
    for number, side, wires in maps:
        keys = sorted(wires)
        for key in keys:
            for other in (tensor for tensor in tensors if tensor != wires[key]):

                def redirect(wires: Any = wires, key: str = key, other: str = other) -> None:
                    wires[key] = other

                changes_found.append(
                    (f"step {number} {side}[{key}] {wires[key]} → {other}", redirect)
                )
        if len(keys) > 1:
            first, second = random.sample(keys, 2)

            def swap(wires: Any = wires, first: str = first, second: str = second) -> None:
                wires[first], wires[second] = wires[second], wires[first]

            changes_found.append((f"step {number} {side}: {first} and {second} swapped", swap))
    for number, step in enumerate(steps, 1):
        for other in sorted({s.model_name for s in steps} - {step.model_name}):

            def rename_step(step: Message = step, other: str = other) -> None:
                step.model_name = other

            changes_found.append(
                (f"step {number} model_name {step.model_name} → {other}", rename_step)
            )
    return changes_found


SIDES = ("input_map", "output_map")
