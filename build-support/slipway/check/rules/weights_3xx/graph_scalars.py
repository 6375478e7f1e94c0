"""SW327, SW328: inputs and outputs to which an ONNX graph gives no dimensions."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.shapes import format_shape
from slipway.check.tensors import graphs
from slipway.check.tensors.graphs import ConfiguredGraph, DeclaredTensor
from slipway.signature import GraphTensor

TEXT = "BYTES"
NATIVE = "triton-inference-server/onnxruntime_backend, src/onnxruntime.cc"


@rule(
    "SW327",
    "scalar-with-batches",
    reason="a scalar input gets one request's number for all requests that are joined, which are"
    " answered wrongly; a scalar output fails every batch of two",
    source=f"{NATIVE}: SetInputTensors, ReadOutputTensors; seen on 24.10",
)
def scalar_with_batches(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors without dimensions in models that take batches."""
    for graph, side, declared, tensor in _scalars(model):
        if graph.message.max_batch_size <= 1 or tensor.datatype == TEXT:
            continue  # the other rule reports strings
        if side == "output" and tensor.shape is None:
            continue  # its rank is only known when it runs
        yield RuleHit(
            graph.config.location("max_batch_size"),
            f"max_batch_size {graph.message.max_batch_size}, and {side} {declared.name!r} is"
            f" {format_shape(tensor.shape)} in {graph.name}: one number for all rows",
            "max_batch_size: 0, or export the graph with a first dimension for the batch",
        )


@rule(
    "SW328",
    "scalar-text",
    reason="every request fails: “offsets buffer is not equal to tensor size”",
    source=f"{NATIVE}: ReadOutputTensor; seen on 24.10",
)
def scalar_text(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find outputs that are a string without dimensions."""
    for graph, side, declared, tensor in _scalars(model):
        if side != "output" or tensor.datatype != TEXT or tensor.shape is None:
            continue
        # a scalar string that goes in arrives as [1], and may come out so
        if graph.signature is None or any(
            given.datatype == TEXT and not given.shape for given in graph.signature.inputs
        ):
            continue
        yield RuleHit(
            graph.config.location(*declared.path, "dims"),
            f"{side} {declared.name!r} is a string without dimensions in {graph.name}",
            "export the graph with the shape [1], or [N, 1] for batches",
        )


def _scalars(
    model: ModelUnderCheck,
) -> Iterator[tuple[ConfiguredGraph, str, DeclaredTensor, GraphTensor]]:
    """Yield the config's tensors to which the graph gives no dimensions, or none that it names."""
    for graph, signature in graphs.graphs_with_signature(model):
        inputs = graphs.tensors_by_name((*signature.inputs, *signature.optional_inputs))
        sides = {"input": inputs, "output": graphs.tensors_by_name(signature.outputs)}
        for side, found in sides.items():
            for declared in graphs.declared_tensors(graph, side):
                tensor = found.get(declared.name)
                if tensor is not None and not tensor.shape:
                    yield graph, side, declared, tensor
