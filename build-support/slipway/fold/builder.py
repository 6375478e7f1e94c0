"""Collect the nodes and constants of an ONNX graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slipway.fold.place import Unfoldable

type Array = np.ndarray[Any, Any]

OPSET = 19
"""The first in which ``Equal`` compares strings: ONNX Runtime 1.15, Triton 23.05."""
PREFIX = "fold/"
# ONNX's number of each type; both of numpy's kinds of strings are its only one
NUMBERS = {
    "float32": 1,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "bool": 9,
    "float16": 10,
    "float64": 11,
    "uint32": 12,
    "uint64": 13,
}
STRING = 8


def is_text(dtype: np.dtype[Any]) -> bool:
    """Return whether arrays of this type are strings of a graph."""
    return dtype.kind in "OS"


def onnx_type(dtype: np.dtype[Any]) -> int:
    """Return ONNX's number of a numpy type.

    Raises:
        Unfoldable: it has none.
    """
    if is_text(dtype):
        return STRING
    if dtype.name not in NUMBERS:
        raise Unfoldable(
            f"numpy's type {dtype} has no equal in a tensor of Triton",
            "convert it: .astype(np.float32); strings are bytes: b'…'",
        )
    return NUMBERS[dtype.name]


@dataclass(frozen=True)
class Operations:
    """What symbols call for numpy's operations: universal functions, functions, indices, types."""

    ufunc: Callable[..., Any]
    function: Callable[..., Any]
    index: Callable[..., Any]
    convert: Callable[..., Any]


class Builder:
    """The graph of one postprocessing; ``place`` tells where in its code an operation stands.

    ``inexact`` is set by operations whose last digits depend on who computes them.
    """

    def __init__(self, place: Callable[[], str], operations: Operations) -> None:
        self.operations = operations
        self.nodes: list[Any] = []
        self.places: dict[str, str] = {}
        self.inexact = False
        self._place = place
        self._initialisers: dict[tuple[Any, ...], Any] = {}

    @property
    def initialisers(self) -> list[Any]:
        """Return the constants, each of them once."""
        return list(self._initialisers.values())

    def node(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        return self.nodes_of(operator, inputs, 1, **attributes)[0]

    def nodes_of(
        self, operator: str, inputs: Sequence[str], outputs: int, **attributes: Any
    ) -> list[str]:
        """Add a node and return the names of its outputs."""
        from onnx import helper

        number = len(self.nodes)
        names = [f"{PREFIX}{operator}_{number}" + f"_{n}" * bool(n) for n in range(outputs)]
        place = self._place()
        name = f"{PREFIX}{operator}_{number} {place}".strip()
        self.places[name] = place
        self.nodes.append(helper.make_node(operator, inputs, names, name=name, **attributes))
        return names

    def constant(self, value: Array) -> str:
        """Return the name of a constant, which is added unless there is an equal one.

        Raises:
            Unfoldable: it has values that a graph cannot hold.
        """
        from onnx import helper, numpy_helper

        value = np.asarray(value)
        if is_text(value.dtype):
            texts = [_text(element) for element in value.ravel().tolist()]
            key: tuple[Any, ...] = (STRING, value.shape, tuple(texts))
        else:
            onnx_type(value.dtype)
            key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self._initialisers:
            name = f"{PREFIX}constant_{len(self._initialisers)}"
            if is_text(value.dtype):
                made = helper.make_tensor(name, STRING, value.shape, texts)
            else:
                made = numpy_helper.from_array(
                    np.ascontiguousarray(value).reshape(value.shape), name
                )
            self._initialisers[key] = made
        return str(self._initialisers[key].name)

    def numbers(self, *values: int) -> str:
        """Return the name of a constant of INT64, of one dimension."""
        return self.constant(np.array(values, dtype=np.int64))


def _text(element: object) -> bytes:
    if not isinstance(element, bytes):
        raise Unfoldable(
            f"{element!r} among strings: those of Triton's tensors are bytes",
            f"b{element!r}" if isinstance(element, str) else "use an array of bytes: b'…'",
        )
    if b"\0" in element:
        raise Unfoldable(
            f"{element!r} has a NUL, where ONNX Runtime's strings end", "leave the NUL out"
        )
    return element
