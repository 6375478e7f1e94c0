"""Generate a typed Python client from a model's interface."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from slipway import templates
from slipway.client import identifiers
from slipway.client.request import format_shape
from slipway.model.interface import Interface, Tensor
from slipway.triton.datatypes import numpy_type

TEMPLATES = Path(__file__).parent / "templates"
TEMPLATE = "client.py.jinja"
GENERATED_BY = "Made by `slipway client"  # marks generated files, also those of earlier releases
COLUMNS = 100
# names that the generated code uses itself
RESERVED = {"self", "key", "np", "outputs"}
VALUES = {"f": "Numbers", "i": "Integers", "u": "Integers", "b": "Truths", "O": "Texts"}


def generate_client(name: str, target: str, interface: Interface) -> str:
    """Return a Python module with a client of the model ``name``, formatted as by black.

    Its class has ``predict`` with the inputs as keyword arguments; the result is a dataclass with
    the outputs. It refuses releases whose interface is not that of ``target``.

    Raises:
        SlipwayError: numpy has no type for an input.
    """
    environment = templates.environment(TEMPLATES)
    environment.filters |= {"python": _literal, "text": _text}
    inputs = identifiers.distinct_identifiers(interface.inputs, RESERVED)
    outputs = identifiers.distinct_identifiers(interface.outputs, RESERVED)
    parameters = [_tensor(key, inputs[key], t, interface) for key, t in interface.inputs.items()]
    fields = [_tensor(key, outputs[key], t, interface) for key, t in interface.outputs.items()]
    return environment.get_template(TEMPLATE).render(
        generated_by=GENERATED_BY,
        model=name,
        target=target,
        class_name=identifiers.class_name(name),
        max_batch_size=interface.max_batch_size,
        inputs=parameters,
        outputs=fields,
        plain=sorted({tensor.plain for tensor in parameters}),
    )


class GeneratedTensor(NamedTuple):
    """The texts for one input or output in the template."""

    name: str
    identifier: str
    optional: bool
    comment: str  # its name, type and shape
    declaration: str  # its line in INTERFACE
    plain: str  # the type of its plain values
    array: str  # the numpy type of its arrays
    assignment: str  # its line where the outputs are read


def _tensor(key: str, identifier: str, tensor: Tensor, interface: Interface) -> GeneratedTensor:
    kind = np.dtype(numpy_type(tensor.datatype))
    literal = _literal(key)
    arguments = [f'"{tensor.datatype}"', repr(tensor.dims)]
    arguments += ["optional=True"] if tensor.optional else []
    return GeneratedTensor(
        name=key,
        identifier=identifier,
        optional=tensor.optional,
        comment=f"{literal}: {tensor.datatype} {format_shape(interface, tensor)}",
        declaration=_line(8, f"{literal}: Tensor(", ", ".join(arguments), ")", arguments),
        plain=VALUES[kind.kind],
        array=(
            "np.bool_" if kind.kind == "b" else "np.object_" if kind.kind == "O" else f"np.{kind}"
        ),
        assignment=_line(12, f"{identifier}=outputs[", literal, "]", None),
    )


def _line(indent: int, begin: str, inner: str, end: str, parts: list[str] | None) -> str:
    """Return a line of code, broken within its brackets where black would break it."""
    line = f"{begin}{inner}{end},"
    if indent + len(line) <= COLUMNS:
        return line
    lines = [inner] if parts is None else [f"{part}," for part in parts]
    deeper = "".join(f"\n{' ' * (indent + 4)}{part}" for part in lines)
    return f"{begin}{deeper}\n{' ' * indent}{end},"


def _literal(text: str) -> str:
    """Return a Python string literal, in the quotes that black prefers."""
    quote = '"' if text.count('"') <= text.count("'") else "'"
    return quote + "".join(_escape(letter, quote) for letter in text) + quote


def _text(text: str) -> str:
    """Return ``text`` escaped for a docstring or comment, so that it cannot end it."""
    return "".join(_escape(letter, '"') for letter in text)


def _escape(letter: str, quote: str) -> str:
    if letter in "'\"":
        return f"\\{letter}" if letter == quote else letter
    # from U+0300 on, letters may be zero or two columns wide, and black counts columns
    return (repr(letter) if letter < "\u0300" else ascii(letter))[1:-1]
