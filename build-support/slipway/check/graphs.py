"""The ONNX graphs of a model folder, each beside the config that has to fit it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from slipway import signature
from slipway.check.finding import Place
from slipway.check.model_files import POINTER, expected, loaded_versions
from slipway.check.subject import Config, Subject
from slipway.signature import Reading, Signature, Tensor
from slipway.triton.config import ModelConfig
from slipway.triton.pbtxt import FieldPath

# the controls that the backend counts as inputs (onnxruntime.cc, ModelInstanceState)
CONTROLS = range(4)


@dataclass(frozen=True)
class Graph:
    """One version's weights, and the config that they are served by."""

    config: Config
    message: ModelConfig
    reading: Reading

    @property
    def file(self) -> Path:
        """Where the weights belong."""
        return self.reading.file

    @property
    def place(self) -> Place:
        """The weights, or the pointer that stands for them."""
        pointer = self.file.with_name(self.file.name + POINTER)
        return Place(self.file if self.file.exists() else pointer)

    @property
    def name(self) -> str:
        """The weights' name below the model's directory, such as ``1/model.onnx``."""
        return self.file.relative_to(self.config.directory).as_posix()

    @property
    def signature(self) -> Signature | None:
        """What is known of them."""
        return self.reading.signature


@dataclass(frozen=True)
class Declared:
    """A tensor that the config names: ``message`` has its type and dims, ``path`` is its field."""

    name: str
    path: FieldPath
    message: Any


@lru_cache(maxsize=1)
def graphs(subject: Subject) -> tuple[Graph, ...]:
    """The graphs that the folder's ONNX models load."""
    return tuple(
        graph for read, message in subject.parsed.values() for graph in graphs_of(read, message)
    )


def graphs_of(read: Config, message: ModelConfig) -> Iterator[Graph]:
    """The graphs that one model loads; none unless its backend is ONNX Runtime's."""
    if read.backend == "onnxruntime":
        for version in loaded_versions(read, message):
            for name in expected(read, message):
                yield Graph(read, message, signature.of(version / name))


def known(subject: Subject) -> Iterator[tuple[Graph, Signature]]:
    """The graphs whose signature is known."""
    for graph in graphs(subject):
        if graph.signature is not None:
            yield graph, graph.signature


def tensors(graph: Graph, side: str) -> list[Declared]:
    """The config's own inputs or outputs."""
    return [
        Declared(each.name, (side, index), each)
        for index, each in enumerate(getattr(graph.message, side))
    ]


def fed(graph: Graph) -> list[Declared]:
    """What Triton itself feeds besides: batch inputs, a sequence's controls and states."""
    message, found = graph.message, []
    for index, batch in enumerate(message.batch_input):
        for number, name in enumerate(batch.target_name):
            path: FieldPath = ("batch_input", index, "target_name", number)
            found.append(Declared(name, path, batch))
    sequence = message.sequence_batching
    for index, control in enumerate(sequence.control_input):
        if any(kind.kind in CONTROLS for kind in control.control):
            path = ("sequence_batching", "control_input", index, "name")
            found.append(Declared(control.name, path, control))
    for index, state in enumerate(sequence.state):
        path = ("sequence_batching", "state", index, "input_name")
        found.append(Declared(state.input_name, path, state))
    return found


def states(graph: Graph) -> list[Declared]:
    """What Triton takes from the graph besides the outputs: a sequence's states."""
    return [
        Declared(state.output_name, ("sequence_batching", "state", index, "output_name"), state)
        for index, state in enumerate(graph.message.sequence_batching.state)
    ]


def by_name(tensors: tuple[Tensor, ...]) -> Mapping[str, Tensor]:
    """A signature's tensors by their names."""
    return {tensor.name: tensor for tensor in tensors}
