"""The inputs and outputs of a served model, and the conversion of plain values to its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from slipway.errors import SlipwayError
from slipway.triton.datatypes import BYTES, Array, numpy_type


class Tensor(NamedTuple):
    """An input or output of a config; ``dims`` has -1 for a free size, and never the batch."""

    datatype: str
    dims: tuple[int, ...]
    optional: bool = False


@dataclass(frozen=True)
class Interface:
    """The inputs and outputs of a served model by name, in the config's order.

    If it takes batches, every tensor's shape has the batch before ``dims``; ``max_batch_size`` is
    0 where it does not.
    """

    max_batch_size: int
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]

    @property
    def batches(self) -> bool:
        """Return whether the first dimension of every tensor is the batch."""
        return self.max_batch_size > 0

    def shape(self, tensor: Tensor) -> tuple[int, ...]:
        """Return the full shape of a tensor, with the batch; -1 for a free size."""
        return ((-1,) if self.batches else ()) + tensor.dims

    def dump(self) -> dict[str, Any]:
        """Return the interface as JSON values, which :func:`parse_interface` reads."""
        return {
            "max_batch_size": self.max_batch_size,
            "inputs": [_dump(name, tensor) for name, tensor in self.inputs.items()],
            "outputs": [_dump(name, tensor) for name, tensor in self.outputs.items()],
        }


def parse_interface(value: Mapping[str, Any]) -> Interface:
    """Return the interface that :meth:`Interface.dump` wrote.

    Raises:
        SlipwayError: ``value`` is not an interface.
    """
    try:
        return Interface(
            int(value["max_batch_size"]), _parse(value["inputs"]), _parse(value["outputs"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SlipwayError(f"a release's interface is damaged: {error!r}") from error


def as_array(name: str, value: Any, declared: Tensor | None, batches: bool) -> Array:
    """Convert ``value`` to an array of the declared type and shape, if there is only one way.

    ``None`` in a value becomes NaN in an array of floating-point numbers.

    Raises:
        SlipwayError: it is of another kind, holds ``None`` where the type has no NaN, or its shape
            can be read in more than one way.
    """
    if declared is None:
        return np.asarray(value)  # the server's error names the inputs
    if isinstance(value, np.ndarray):
        array = value
    else:
        refuse_null(name, value, declared.datatype)
        try:
            array = np.array(value, dtype=numpy_type(declared.datatype))
        except (TypeError, ValueError) as error:
            raise SlipwayError(
                f"input {name!r} is {declared.datatype}, but the value is not: {error}",
                fix="give a number, a string, bytes, a list of them or an array",
            ) from error
    return _add_dimensions(name, array, ((-1,) if batches else ()) + declared.dims)


def refuse_null(name: str, value: Any, datatype: str) -> None:
    """Refuse ``None`` in a plain value for a type that has no NaN; numpy makes it ``False``.

    Raises:
        SlipwayError: it holds ``None``.
    """
    kind = np.dtype(numpy_type(datatype)).kind
    if kind == "f":
        return
    try:
        elements = np.array(value, dtype=object) if kind == "O" else np.asarray(value)
    except ValueError:
        return  # lists of unequal lengths, which the caller reports
    if elements.dtype == object and any(element is None for element in elements.ravel()):
        raise SlipwayError(
            f"input {name!r} is {datatype}, which has no value for null",
            fix="give a value in its place: null is NaN, which only FP16, FP32 and FP64 have",
        )


def blank_request(interface: Interface) -> dict[str, Array]:
    """Return a batch of one, of zeros and empty strings; free sizes are 1.

    Optional inputs are left out, unless all are: a request without any has no rows.
    """
    batch = (1,) if interface.batches else ()
    arrays: dict[str, Array] = {}
    every = all(tensor.optional for tensor in interface.inputs.values())
    for name, tensor in interface.inputs.items():
        if every or not tensor.optional:
            shape = batch + tuple(max(1, size) for size in tensor.dims)
            blank: Any = b"" if tensor.datatype == BYTES else 0
            arrays[name] = np.full(shape, blank, dtype=numpy_type(tensor.datatype))
    return arrays


def _add_dimensions(name: str, array: Array, dims: tuple[int, ...]) -> Array:
    """Add the missing dimensions of size 1 to ``array``, if there is only one way."""
    if array.ndim >= len(dims):
        return array
    shapes = set()
    for positions in combinations(range(len(dims)), array.ndim):
        shape = [1] * len(dims)
        for position, size in zip(positions, array.shape):
            shape[position] = size
        if all(dim in (-1, size) for dim, size in zip(dims, shape)):
            shapes.add(tuple(shape))
    if len(shapes) > 1:
        readings = " or ".join(str(shape) for shape in sorted(shapes))
        raise SlipwayError(
            f"input {name!r}: the shape {array.shape} can mean {readings}",
            fix=f"give an array of {len(dims)} dimensions",
        )
    return array.reshape(shapes.pop()) if shapes else array


def _dump(name: str, tensor: Tensor) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": name, "datatype": tensor.datatype, "dims": list(tensor.dims)}
    return entry | ({"optional": True} if tensor.optional else {})


def _parse(tensors: Any) -> dict[str, Tensor]:
    return {
        str(entry["name"]): Tensor(
            str(entry["datatype"]),
            tuple(int(size) for size in entry["dims"]),
            bool(entry.get("optional", False)),
        )
        for entry in tensors
    }
