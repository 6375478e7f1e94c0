"""A served model as a function: values in, arrays out."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from slipway import config, repository
from slipway.errors import SlipwayError
from slipway.server.client import Array
from slipway.server.triton import Server

BYTES = "BYTES"


class Tensor(NamedTuple):
    """What the served model's config says of an input; ``dims`` has -1 for a free size."""

    datatype: str
    dims: tuple[int, ...]


class Model:
    """A model on a running server.

    Calling it sends one request. Arrays go as they are; bytes, strings, numbers and lists of them
    take the type that the config declares. Sizes of 1 and the batch may be left out where only one
    reading remains: for an input of ``dims: 1`` in a batch, ``b"…"`` is one element and
    ``[b"…", b"…"]`` a batch of two.
    """

    def __init__(self, server: Server, target: str) -> None:
        self.server = server
        self.target = target
        self.batches, self.inputs = signature(server.folder(target))

    def __call__(self, inputs: Mapping[str, Any]) -> dict[str, Array]:
        """Outputs by name, with their batch dimension; strings are ``bytes`` in object arrays.

        Raises:
            InferenceError: the request was refused, or the model failed on it.
            SlipwayError: a value can be read in more than one way, or in none.
        """
        return self.server.invoke(self.target, self.arrays(inputs))

    def arrays(self, inputs: Mapping[str, Any]) -> dict[str, Array]:
        """``inputs`` as they are sent.

        Raises:
            SlipwayError: as when calling.
        """
        return {
            name: as_array(name, value, self.inputs.get(name), self.batches)
            for name, value in inputs.items()
        }


def signature(folder: Path) -> tuple[bool, dict[str, Tensor]]:
    """Whether the model served from an unpacked artifact takes batches, and its inputs."""
    configs = [config.parse(path) for path in sorted(folder.glob(f"*/{config.FILE_NAME}"))]
    ensembles = [parsed for parsed in configs if parsed.platform == repository.ENSEMBLE]
    served = (ensembles or configs)[0]
    inputs = {
        tensor.name: Tensor(config.dtype_name(tensor.data_type), tuple(tensor.dims))
        for tensor in served.input
    }
    return served.max_batch_size > 0, inputs


def numpy_type(datatype: str) -> type[Any]:
    """numpy's type of a Triton datatype such as ``FP32``.

    Raises:
        SlipwayError: numpy has none, as for BF16.
    """
    if datatype == BYTES:
        return np.object_
    name = datatype.lower().replace("fp", "float").replace("bool", "bool_")
    found: type[Any] | None = getattr(np, name, None)
    if found is None:
        raise SlipwayError(f"numpy has no type for {datatype}", fix="use FP32")
    return found


def as_array(name: str, value: Any, declared: Tensor | None, batches: bool) -> Array:
    """``value`` as an array of the declared type and shape, where that can be done in one way.

    Raises:
        SlipwayError: it is of another kind, or its shape can be read in more than one way.
    """
    if declared is None:
        return np.asarray(value)  # the server says which inputs there are
    if isinstance(value, np.ndarray):
        array = value
    else:
        try:
            array = np.array(value, dtype=numpy_type(declared.datatype))
        except (TypeError, ValueError) as error:
            raise SlipwayError(
                f"input {name!r} is {declared.datatype}, but the value is not: {error}",
                fix="give a number, a string, bytes, a list of them or an array",
            ) from error
    return _promoted(name, array, ((-1,) if batches else ()) + declared.dims)


def _promoted(name: str, array: Array, dims: tuple[int, ...]) -> Array:
    """``array`` with the sizes of 1 that it lacks, where that can be done in one way only."""
    if array.ndim >= len(dims):
        return array
    shapes = set()
    for places in combinations(range(len(dims)), array.ndim):
        shape = [1] * len(dims)
        for place, size in zip(places, array.shape):
            shape[place] = size
        if all(dim in (-1, size) for dim, size in zip(dims, shape)):
            shapes.add(tuple(shape))
    if len(shapes) > 1:
        readings = " or ".join(str(shape) for shape in sorted(shapes))
        raise SlipwayError(
            f"input {name!r}: the shape {array.shape} can mean {readings}",
            fix=f"give an array of {len(dims)} dimensions",
        )
    return array.reshape(shapes.pop()) if shapes else array
