"""The part of ``triton_python_backend_utils`` that a postprocessing has while it is folded.

The same classes hand it symbols, and arrays when its answers are compared with the graph's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from slipway.fold.builder import Array
from slipway.fold.place import Unfoldable
from slipway.fold.symbol import Symbol
from slipway.triton.datatypes import numpy_type

NAME = "triton_python_backend_utils"
TYPE = "TYPE_"
STRING, BYTES = "STRING", "BYTES"


class Tensor:
    """A named tensor: of a request, or of an answer."""

    def __init__(self, name: str, array: Any) -> None:
        if not isinstance(array, Symbol | np.ndarray):
            raise Unfoldable(f"{name!r} is a {type(array).__name__}", "an array of numpy")
        if array.dtype.kind == "U":
            raise Unfoldable(f"{name!r} is text", "bytes: b'…'")
        self._name = name
        self._array = array

    def name(self) -> str:
        """Return the name."""
        return self._name

    def as_numpy(self) -> Any:
        """Return the array, or the symbol in its place."""
        return self._array

    def is_cpu(self) -> bool:
        """Return whether it is in the CPU's memory, where each is."""
        return True


class Request:
    """A request with ``tensors``; whatever else a request has cannot be folded."""

    def __init__(self, tensors: Mapping[str, Any]) -> None:
        self._tensors = {name: Tensor(name, array) for name, array in tensors.items()}

    def inputs(self) -> list[Tensor]:
        """Return the tensors."""
        return list(self._tensors.values())

    def tensor(self, name: str) -> Tensor | None:
        """Return the tensor of this name."""
        return self._tensors.get(name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise Unfoldable(
            f"it asks a request for {name}(), which a graph does not have",
            "leave this model as it is",
        )


class InferenceResponse:
    """An answer; ``error`` as well, which a graph cannot give."""

    def __init__(self, output_tensors: Any = (), error: Any = None) -> None:
        if error is not None:
            raise Unfoldable("it answers an error", "let the model before it refuse the request")
        self.tensors = {tensor.name(): tensor.as_numpy() for tensor in output_tensors}

    def output_tensors(self) -> list[Tensor]:
        """Return the tensors."""
        return [Tensor(name, array) for name, array in self.tensors.items()]


class _Utils(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise Unfoldable(f"pb_utils.{name}", "leave this model as it is")


def make_module() -> ModuleType:
    """Return a module to be found as ``triton_python_backend_utils``."""
    module = _Utils(NAME)
    values: dict[str, Any] = {
        "Tensor": Tensor,
        "InferenceRequest": Request,
        "InferenceResponse": InferenceResponse,
        "TritonError": _Error,
        "TritonModelException": _Error,
        "get_input_tensor_by_name": lambda request, name: request.tensor(name),
        "get_input_config_by_name": lambda config, name: _named(config, "input", name),
        "get_output_config_by_name": lambda config, name: _named(config, "output", name),
        "triton_string_to_numpy": _numpy_type,
    }
    for name, value in values.items():
        setattr(module, name, value)
    return module


class _Error(Exception):
    """What ``initialize`` raises where a model cannot be loaded."""


def _named(config: Any, side: str, name: str) -> Any:
    values = json.loads(config) if isinstance(config, str) else config
    return next((tensor for tensor in values[side] if tensor["name"] == name), None)


def _numpy_type(name: str) -> Any:
    datatype = name.removeprefix(TYPE)
    return numpy_type(BYTES if datatype == STRING else datatype)


def arrays_of(response: Any) -> dict[str, Array | Any]:
    """Return the tensors of what ``execute`` answered for one request.

    Raises:
        Unfoldable: it is not one answer.
    """
    if not isinstance(response, list | tuple) or len(response) != 1:
        raise Unfoldable("execute does not return one answer a request", "return a list of them")
    if not isinstance(response[0], InferenceResponse):
        raise Unfoldable(
            f"an answer is a {type(response[0]).__name__}", "pb_utils.InferenceResponse"
        )
    return response[0].tensors
