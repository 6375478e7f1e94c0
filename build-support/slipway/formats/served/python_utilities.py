"""What a Python model calls of ``triton_python_backend_utils``, for one request at a time.

Only for the comparison of answers; the model's tests run on a real server.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from slipway.formats.datatypes import BYTES, numpy_type
from slipway.formats.format import Array


class TritonModelException(Exception):
    """Raised by a model that cannot be loaded, or cannot answer."""


class TritonError:
    """An error of one request."""

    def __init__(self, message: str) -> None:
        self._message = message

    def message(self) -> str:
        """Return its text."""
        return self._message


class Tensor:
    """A name and an array."""

    def __init__(self, name: str, array: Array) -> None:
        self._name, self._array = name, array

    def name(self) -> str:
        """Return the name."""
        return self._name

    def as_numpy(self) -> Array:
        """Return the array; text is an object of ``bytes`` or ``str``."""
        return self._array


class InferenceRequest:
    """Inputs, and the names of the outputs that are wanted."""

    def __init__(self, inputs: Sequence[Tensor], requested_output_names: Sequence[str]) -> None:
        self._inputs, self._requested = inputs, requested_output_names

    def inputs(self) -> Sequence[Tensor]:
        """Return the inputs."""
        return self._inputs

    def requested_output_names(self) -> Sequence[str]:
        """Return the names of the outputs that are wanted."""
        return self._requested

    def parameters(self) -> str:
        """Return the request's parameters: none, in JSON."""
        return "{}"

    def request_id(self) -> str:
        """Return its id: none."""
        return ""

    def correlation_id(self) -> int:
        """Return its sequence: none."""
        return 0

    def flags(self) -> int:
        """Return the start and end of a sequence: neither."""
        return 0

    def timeout(self) -> int:
        """Return its microseconds: no limit."""
        return 0

    def is_cancelled(self) -> bool:
        """Return whether the client is gone: never."""
        return False


class InferenceResponse:
    """Outputs, or an error."""

    def __init__(
        self, output_tensors: Sequence[Tensor] = (), error: TritonError | None = None
    ) -> None:
        self._outputs, self._error = output_tensors, error

    def output_tensors(self) -> Sequence[Tensor]:
        """Return the outputs."""
        return self._outputs

    def has_error(self) -> bool:
        """Return whether it is an error."""
        return self._error is not None

    def error(self) -> TritonError | None:
        """Return the error."""
        return self._error


def get_input_tensor_by_name(request: InferenceRequest, name: str) -> Tensor | None:
    """Return the input ``name``, ``None`` if the request has none."""
    return next((tensor for tensor in request.inputs() if tensor.name() == name), None)


def _config(config: str | dict[str, Any]) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(config) if isinstance(config, str) else config
    return loaded


def _by_name(tensors: Sequence[dict[str, Any]], name: str) -> dict[str, Any] | None:
    return next((tensor for tensor in tensors if tensor["name"] == name), None)


def get_input_config_by_name(config: str | dict[str, Any], name: str) -> dict[str, Any] | None:
    """Return the input ``name`` of a model's config."""
    return _by_name(_config(config)["input"], name)


def get_output_config_by_name(config: str | dict[str, Any], name: str) -> dict[str, Any] | None:
    """Return the output ``name`` of a model's config."""
    return _by_name(_config(config)["output"], name)


def triton_string_to_numpy(name: str) -> Any:
    """Return numpy's type of Triton's ``TYPE_…``."""
    datatype = name.removeprefix("TYPE_")
    return numpy_type(BYTES if datatype == "STRING" else datatype).type


def using_decoupled_model_transaction_policy(config: str | dict[str, Any]) -> bool:
    """Return whether the model may answer more than once: never here."""
    return False


class Logger:
    """Takes what a model logs, and drops it."""

    @staticmethod
    def log_info(message: str) -> None:
        """Drop a message."""

    log_warn = log_error = log_verbose = log_info
