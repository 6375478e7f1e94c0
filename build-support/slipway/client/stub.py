"""A model's interface → a typed Python client for it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from slipway import templates
from slipway.client import identifiers
from slipway.client.request import shape
from slipway.model.interface import Interface, Tensor
from slipway.triton.datatypes import numpy_type

TEMPLATES = Path(__file__).parent / "templates"
TEMPLATE = "client.py.jinja"
MADE_BY = "Made by `slipway client"  # what a generated file says of itself
COLUMNS = 100
# what the generated code calls by these names itself
RESERVED = {"self", "key", "np", "outputs"}
VALUES = {"f": "Numbers", "i": "Integers", "u": "Integers", "b": "Truths", "O": "Texts"}


def write(name: str, target: str, interface: Interface) -> str:
    """The text of a Python module with a client of the model ``name``, as black formats it.

    Its class has ``predict`` with the inputs as keyword arguments; the answer is a dataclass with
    the outputs. It refuses releases of another interface than ``target`` has.

    Raises:
        SlipwayError: numpy has no type for an input.
    """
    environment = templates.environment(TEMPLATES)
    environment.filters |= {"python": _literal, "text": _text}
    inputs = identifiers.distinct(interface.inputs, RESERVED)
    outputs = identifiers.distinct(interface.outputs, RESERVED)
    parameters = [_tensor(key, inputs[key], t, interface) for key, t in interface.inputs.items()]
    fields = [_tensor(key, outputs[key], t, interface) for key, t in interface.outputs.items()]
    return environment.get_template(TEMPLATE).render(
        made_by=MADE_BY,
        model=name,
        target=target,
        class_name=identifiers.class_name(name),
        max_batch_size=interface.max_batch_size,
        inputs=parameters,
        outputs=fields,
        plain=sorted({tensor.plain for tensor in parameters}),
    )


class Generated(NamedTuple):
    """What the template asks of an input or output."""

    name: str
    identifier: str
    optional: bool
    about: str  # its name, type and shape, for a comment
    made: str  # how it is written in INTERFACE
    plain: str  # the type of plain values for it
    array: str  # numpy's type of its arrays
    got: str  # how it is taken from the outputs


def _tensor(key: str, identifier: str, tensor: Tensor, interface: Interface) -> Generated:
    kind = np.dtype(numpy_type(tensor.datatype))
    literal = _literal(key)
    arguments = [f'"{tensor.datatype}"', repr(tensor.dims)]
    arguments += ["optional=True"] if tensor.optional else []
    return Generated(
        name=key,
        identifier=identifier,
        optional=tensor.optional,
        about=f"{literal}: {tensor.datatype} {shape(interface, tensor)}",
        made=_line(8, f"{literal}: Tensor(", ", ".join(arguments), ")", arguments),
        plain=VALUES[kind.kind],
        array=(
            "np.bool_" if kind.kind == "b" else "np.object_" if kind.kind == "O" else f"np.{kind}"
        ),
        got=_line(12, f"{identifier}=outputs[", literal, "]", None),
    )


def _line(indent: int, begin: str, inner: str, end: str, several: list[str] | None) -> str:
    """A line of code, broken within its brackets where black would break it."""
    whole = f"{begin}{inner}{end},"
    if indent + len(whole) <= COLUMNS:
        return whole
    parts = [inner] if several is None else [f"{part}," for part in several]
    deeper = "".join(f"\n{' ' * (indent + 4)}{part}" for part in parts)
    return f"{begin}{deeper}\n{' ' * indent}{end},"


def _literal(text: str) -> str:
    """A Python string, in the quotes that black prefers."""
    quote = '"' if text.count('"') <= text.count("'") else "'"
    return quote + "".join(_escaped(letter, quote) for letter in text) + quote


def _text(text: str) -> str:
    """What stands in a docstring or comment, and cannot end it."""
    return "".join(_escaped(letter, '"') for letter in text)


def _escaped(letter: str, quote: str) -> str:
    if letter in "'\"":
        return f"\\{letter}" if letter == quote else letter
    # from there on letters may be as wide as two columns, or none, and black counts columns
    return (repr(letter) if letter < "\u0300" else ascii(letter))[1:-1]
