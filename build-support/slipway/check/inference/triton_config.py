"""What a model's config determines of the values that its code gets from Triton."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Literal

from google.protobuf.json_format import MessageToDict

from slipway.check.inference.objects import Json, Missing, Tensor
from slipway.check.inference.values import (
    NONE,
    UNKNOWN,
    Array,
    Scalar,
    Union,
    Value,
)
from slipway.check.python.model import PythonModel
from slipway.triton.config import ModelConfig, schema

# triton_python_backend_utils.py: Triton's data types → numpy's
DTYPES = {
    "TYPE_BOOL": "bool",
    "TYPE_UINT8": "uint8",
    "TYPE_UINT16": "uint16",
    "TYPE_UINT32": "uint32",
    "TYPE_UINT64": "uint64",
    "TYPE_INT8": "int8",
    "TYPE_INT16": "int16",
    "TYPE_INT32": "int32",
    "TYPE_INT64": "int64",
    "TYPE_FP16": "float16",
    "TYPE_FP32": "float32",
    "TYPE_FP64": "float64",
    "TYPE_STRING": "object",
    "TYPE_BF16": "bfloat16",  # which numpy does not have
}
# integers of 64 bits, which JSON's mapping writes as text and the server as numbers
NUMBERS = {"dims", "shape", "max_queue_delay_microseconds", "preferred_batch_size"}


class ModelName(str):
    """The name in a model's config; ``is_read`` is whether the model's code has read it."""

    is_read = False


class TritonConfig:
    """The config of a Python model; ``completed`` names tensors that its own code may add."""

    def __init__(self, message: ModelConfig, model: PythonModel, completed: Iterable[str]) -> None:
        self.message = message
        self.name = ModelName(message.name)
        self.completed = frozenset(completed)
        self._model = model
        self._tensors = {
            "input": {tensor.name: tensor for tensor in message.input},
            "output": {tensor.name: tensor for tensor in message.output},
        }

    @property
    def decoupled(self) -> bool:
        """Return whether the model sends its responses."""
        return bool(self.message.model_transaction_policy.decoupled)

    @property
    def batches_requests(self) -> bool:
        """Return whether ``execute`` may get several requests at once."""
        scheduler = self.message.WhichOneof("scheduling_choice")
        return self.message.max_batch_size > 1 and scheduler in (
            "dynamic_batching",
            "sequence_batching",
        )

    def names(self, kind: Literal["input", "output"]) -> set[str]:
        """Return the names of the tensors that requests or responses may have."""
        return self._model.inputs if kind == "input" else self._model.outputs

    def input_tensor(self, name: str, node: ast.expr, *, certain: bool) -> Value:
        """Return what a request has under a name, which the expression ``node`` gives.

        ``certain`` is whether each request gets to this expression.
        """
        tensor = self._tensors["input"].get(name)
        if name in self.completed or not self.message.input:
            return Union((Tensor(name, Array()), NONE)) if tensor is None else Tensor(name, Array())
        if tensor is None:
            known = name in self.names("input")
            return Tensor(name, Array()) if known else Missing(name, "input", node)
        present = Tensor(name, self.array(tensor), node)
        if not tensor.optional:
            return present
        return Union((present, Missing(name, "input", node, optional=True, certain=certain)))

    def tensor_config(self, name: str, kind: Literal["input", "output"], node: ast.expr) -> Value:
        """Return what the config has of a tensor, which the expression ``node`` names."""
        tensors = self._tensors[kind]
        if name in tensors:
            listed = self.json[kind]
            return Json(next(entry for entry in listed if entry["name"] == name))
        if name in self.completed or not tensors or name in self.names(kind):
            return UNKNOWN
        return Missing(name, kind, node, config=True)

    def array(self, tensor: Any) -> Array:
        """Return the array that a tensor is read as; a batch is one more dimension."""
        dtype = DTYPES.get(str(schema().DataType.Name(tensor.data_type)))
        if getattr(tensor, "allow_ragged_batch", False) or (
            not tensor.dims and not tensor.HasField("reshape")
        ):
            return Array(dtype)
        dims = tensor.reshape.shape if tensor.HasField("reshape") else tensor.dims
        rank = len(dims) + (self.message.max_batch_size > 0)
        return Array(dtype, rank, holds="bytes" if dtype == "object" else None)

    @cached_property
    def json(self) -> dict[str, Any]:
        """Return the config as the server passes it to ``initialize``."""
        content = MessageToDict(
            self.message,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
        content["model_transaction_policy"] = {"decoupled": self.decoupled}
        numbers: dict[str, Any] = _with_numbers(content, "")
        return {**numbers, "name": self.name}


def json_value(content: Any) -> Value:
    """Return the value of a part of the config."""
    if content is None:
        return NONE
    if isinstance(content, ModelName):
        content.is_read = True
        return Scalar("str", str(content))
    for kind in ("bool", "int", "float", "str"):
        if type(content).__name__ == kind:
            return Scalar(kind, content)
    return Json(content)


def _with_numbers(content: Any, name: str) -> Any:
    if isinstance(content, dict):
        return {key: _with_numbers(value, key) for key, value in content.items()}
    if isinstance(content, list):
        return [_with_numbers(value, name) for value in content]
    return int(content) if name in NUMBERS and isinstance(content, str) else content
