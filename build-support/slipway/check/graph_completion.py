"""A config as ONNX Runtime's backend completes it from the graph (auto-complete).

onnxruntime.cc, ModelState::AutoCompleteConfig: only a config that lacks all inputs or all outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from google.protobuf import text_format

from slipway import signature
from slipway.check.config_file import ConfigFile
from slipway.check.model_files import expected_names, loaded_versions
from slipway.check.shapes import dims_of
from slipway.model.pointer import Pointer
from slipway.signature import GraphTensor, Signature
from slipway.triton.config import ModelConfig

# the largest batch that the backend sets (Triton core, backend_model.cc)
DEFAULT_BATCH = 4


def lists_tensors(message: ModelConfig) -> bool:
    """Return whether a config has inputs and outputs, so that the backend adds none."""
    return bool((message.input or message.batch_input) and message.output)


def complete_config(config: ConfigFile, load: Callable[[Path], Pointer]) -> ModelConfig:
    """Return a config's message as the server completes it; ``load`` reads a DVC pointer.

    The message itself where it lacks nothing, or the graph is unknown or does not determine it.
    """
    message = config.message
    if message is None or config.backend != "onnxruntime" or lists_tensors(message):
        return message
    graph = _newest_graph(config, message, load)
    if graph is None:
        return message
    completed = type(message)()
    completed.CopyFrom(message)
    if not message.max_batch_size and all(map(_is_open_first, (*graph.inputs, *graph.outputs))):
        completed.max_batch_size = DEFAULT_BATCH
        if not message.WhichOneof("scheduling_choice"):
            completed.dynamic_batching.SetInParent()
    batches = completed.max_batch_size > 0
    for side, tensors, given in (
        ("input", graph.inputs, message.input or message.batch_input),
        ("output", graph.outputs, message.output),
    ):
        if not given:
            if not all(is_determined(tensor, batches) for tensor in tensors):
                return message
            text_format.Merge(io_text(side, tensors, batches), completed)
    return completed


def io_text(side: str, tensors: Sequence[GraphTensor], batches: bool) -> str:
    """Return the fields ``side`` ("input" or "output") of ``tensors``, whose ranks are known."""
    return "".join(_field(side, tensor, batches) for tensor in tensors)


def is_determined(tensor: GraphTensor, batches: bool) -> bool:
    """Return whether the graph determines type and dims of a tensor in a config."""
    shape = tensor.shape
    if shape is None or not tensor.carried:
        return False
    return not batches or (len(shape) > 0 and not isinstance(shape[0], int))


def _newest_graph(
    config: ConfigFile, message: ModelConfig, load: Callable[[Path], Pointer]
) -> Signature | None:
    readings = [
        signature.read_signature(version / name, load)
        for version in loaded_versions(config, message)
        for name in expected_names(config, message)
    ]
    return readings[-1].signature if readings else None


def _is_open_first(tensor: GraphTensor) -> bool:
    return bool(tensor.shape) and not isinstance((tensor.shape or (0,))[0], int)


def _field(side: str, tensor: GraphTensor, batches: bool) -> str:
    data_type = "STRING" if tensor.datatype == "BYTES" else tensor.datatype
    dims = dims_of(tensor, batches=batches)
    lines = [
        f'  name: "{tensor.name}"',
        f"  data_type: TYPE_{data_type}",
        f"  dims: [ {', '.join(map(str, dims)) or '1'} ]",
    ]
    if not dims and batches:  # a config without dims is not valid
        lines.append("  reshape { shape: [ ] }")
    return "\n".join([f"{side} {{", *lines, "}\n"])
