"""The ONNX graphs of a model folder, each with the config that has to fit it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from slipway import signature
from slipway.check.config_file import ConfigFile
from slipway.check.finding import Location
from slipway.check.model_files import POINTER, expected_names, loaded_versions
from slipway.check.model_under_check import ModelUnderCheck
from slipway.model.pointer import Pointer, load_pointer
from slipway.signature import GraphTensor, Reading, Signature
from slipway.triton.config import ModelConfig, dtype_name
from slipway.triton.pbtxt import FieldPath

# the controls that the backend counts as inputs (onnxruntime.cc, ModelInstanceState)
CONTROLS = range(4)
# the types of the controls that are true or false, by the field that has both values
CONTROL_VALUES = {"int32_false_true": "INT32", "fp32_false_true": "FP32", "bool_false_true": "BOOL"}


@dataclass(frozen=True)
class ConfiguredGraph:
    """One version's weights, and the config with which they are served."""

    config: ConfigFile
    message: ModelConfig
    reading: Reading

    @property
    def file(self) -> Path:
        """Return the path of the weights, which may be missing."""
        return self.reading.file

    @property
    def location(self) -> Location:
        """Return the location of the weights, or of their pointer if they are not here."""
        pointer = self.file.with_name(self.file.name + POINTER)
        return Location(self.file if self.file.exists() else pointer)

    @property
    def name(self) -> str:
        """Return the weights' path in the model's directory, such as ``1/model.onnx``."""
        return self.file.relative_to(self.config.directory).as_posix()

    @property
    def signature(self) -> Signature | None:
        """Return the graph's signature; ``None`` if it is unknown."""
        return self.reading.signature


@dataclass(frozen=True)
class DeclaredTensor:
    """A tensor that a config names: ``message`` has its type and dims, ``path`` is its field."""

    name: str
    path: FieldPath
    message: Any


@lru_cache(maxsize=1)
def graphs_of_model(model: ModelUnderCheck) -> tuple[ConfiguredGraph, ...]:
    """Return the graphs that the folder's ONNX models load."""
    return tuple(
        graph
        for config, message in model.parsed.values()
        for graph in graphs_of_config(config, message, model.pointer)
    )


def graphs_of_config(
    config: ConfigFile, message: ModelConfig, load: Callable[[Path], Pointer] = load_pointer
) -> Iterator[ConfiguredGraph]:
    """Yield the graphs that one model loads; none unless its backend is ONNX Runtime.

    ``load`` reads a DVC pointer.
    """
    if config.backend == "onnxruntime":
        for version in loaded_versions(config, message):
            for name in expected_names(config, message):
                reading = signature.read_signature(version / name, load)
                yield ConfiguredGraph(config, message, reading)


def graphs_with_signature(model: ModelUnderCheck) -> Iterator[tuple[ConfiguredGraph, Signature]]:
    """Yield the graphs whose signature is known, with it."""
    for graph in graphs_of_model(model):
        if graph.signature is not None:
            yield graph, graph.signature


def declared_tensors(graph: ConfiguredGraph, side: str) -> list[DeclaredTensor]:
    """Return the inputs or outputs that the config lists."""
    return [
        DeclaredTensor(tensor.name, (side, index), tensor)
        for index, tensor in enumerate(getattr(graph.message, side))
    ]


def server_inputs(graph: ConfiguredGraph) -> list[DeclaredTensor]:
    """Return the other inputs, which Triton feeds: batch inputs, sequence controls and states."""
    message, inputs = graph.message, []
    for index, batch in enumerate(message.batch_input):
        for number, name in enumerate(batch.target_name):
            path: FieldPath = ("batch_input", index, "target_name", number)
            inputs.append(DeclaredTensor(name, path, batch))
    sequence = message.sequence_batching
    for index, control in enumerate(sequence.control_input):
        if any(kind.kind in CONTROLS for kind in control.control):
            path = ("sequence_batching", "control_input", index, "name")
            inputs.append(DeclaredTensor(control.name, path, control))
    for index, state in enumerate(sequence.state):
        path = ("sequence_batching", "state", index, "input_name")
        inputs.append(DeclaredTensor(state.input_name, path, state))
    return inputs


def state_outputs(graph: ConfiguredGraph) -> list[DeclaredTensor]:
    """Return the other outputs, which Triton keeps: the states of a sequence."""
    return [
        DeclaredTensor(
            state.output_name, ("sequence_batching", "state", index, "output_name"), state
        )
        for index, state in enumerate(graph.message.sequence_batching.state)
    ]


def fed_tensors(
    graph: ConfiguredGraph, signature: Signature
) -> Iterator[tuple[DeclaredTensor, str, GraphTensor]]:
    """Yield those of Triton's own inputs and outputs that the graph has, each with its side."""
    inputs = tensors_by_name((*signature.inputs, *signature.optional_inputs))
    outputs = tensors_by_name(signature.outputs)
    for side, declared_tensors, found in (
        ("input", server_inputs(graph), inputs),
        ("output", state_outputs(graph), outputs),
    ):
        for declared in declared_tensors:
            if declared.name in found:
                yield declared, side, found[declared.name]


def fed_datatype(declared: DeclaredTensor) -> str:
    """Return the type in which Triton feeds or keeps ``declared``; empty if it is not known."""
    message = declared.message
    if "data_type" in message.DESCRIPTOR.fields_by_name:
        return dtype_name(message.data_type) if message.data_type else ""
    for control in message.control:
        if control.kind == control.CONTROL_SEQUENCE_CORRID and control.data_type:
            return dtype_name(control.data_type)
        for field, data_type in CONTROL_VALUES.items():
            if control.kind in CONTROLS and getattr(control, field):
                return data_type
    return ""


def tensors_by_name(tensors: tuple[GraphTensor, ...]) -> Mapping[str, GraphTensor]:
    """Return a signature's tensors by their names."""
    return {tensor.name: tensor for tensor in tensors}
