"""Inputs of a PyTorch model, which its file does not describe: ``--set input=…``.

``3,224,224`` are the sizes of one row, of 32-bit floats. ``tokens:INT64:-1; mask:BOOL:-1`` names
several, with their types; -1 is a size that is free.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from slipway.errors import SlipwayError
from slipway.formats.format import Feature, Tensor
from slipway.formats.networks.examples import example_of

SETTING = "input"
TYPES = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
}
DATATYPES = {name: datatype for datatype, name in TYPES.items()}
ITEM = re.compile(r"(?:(?P<name>\w+):)??(?:(?P<type>[A-Z]+\d*):)?(?P<dims>-?\d+(?:,-?\d+)*|)")
ROWS = 3


def parse(setting: str, names: Sequence[str]) -> tuple[Tensor, ...]:
    """Return the inputs that a setting describes; ``names`` are those of the model's arguments.

    Raises:
        SlipwayError: it cannot be read, or describes another number of inputs.
    """
    fix = "--set input=3,224,224, or for several --set 'input=tokens:INT64:-1;mask:BOOL:-1'"
    inputs = []
    for index, item in enumerate(part.strip() for part in setting.split(";")):
        match = ITEM.fullmatch(item)
        if not match or match["type"] and match["type"] not in TYPES:
            raise SlipwayError(f"--set {SETTING}={setting}: {item!r} is not an input", fix=fix)
        dims = tuple(int(size) for size in match["dims"].split(",") if size)
        name = match["name"] or (names[index] if index < len(names) else f"input_{index}")
        dims = dims or (1,)
        inputs.append(Tensor(name, match["type"] or "FP32", dims, (), example_of(dims)))
    if names and len(inputs) > len(names):
        what = f"--set {SETTING}= describes {len(inputs)} inputs; the model takes {len(names)}"
        raise SlipwayError(what, fix=f"its arguments: {', '.join(names)}")
    return tuple(inputs)


def needed(names: Sequence[str]) -> SlipwayError:
    """Return the error that the file does not tell the sizes of inputs."""
    listed = ", ".join(names) or "its inputs"
    what = f"the file does not tell the sizes of {listed}"
    many = ";".join(f"{name}:FP32:10" for name in names)
    example = "3,224,224" if len(names) < 2 else many
    return SlipwayError(what, fix=f"--set '{SETTING}={example}': those of one row, without batch")


def with_table(inputs: tuple[Tensor, ...], rows: int | None) -> tuple[Tensor, ...]:
    """Return inputs whose whole numbers are below ``rows``, the smallest table of embeddings."""
    return tuple(
        (
            replace(x, features=(Feature(x.name, 0, (rows or 2) - 1, integer=True),))
            if x.datatype.startswith(("INT", "UINT")) and not x.features
            else x
        )
        for x in inputs
    )


def example(inputs: Sequence[Tensor], rows: int = ROWS) -> tuple[Any, ...]:
    """Return a tensor for each input: ``rows`` rows, with a fixed seed, within its features."""
    import torch

    generator = torch.Generator().manual_seed(0)
    made = []
    for x in inputs:
        sizes = x.example or example_of(x.dims)
        kind = getattr(torch, TYPES[x.datatype])
        feature = x.features[0] if x.features else None
        if kind.is_floating_point:
            values = torch.rand([rows, *sizes], generator=generator) * 2 - 1
        elif x.datatype == "BOOL":
            values = torch.ones([rows, *sizes])
        else:
            high = int(feature.high) + 1 if feature else 2
            values = torch.randint(0, high, [rows, *sizes], generator=generator)
        made.append(values.to(kind))
    return tuple(made)
