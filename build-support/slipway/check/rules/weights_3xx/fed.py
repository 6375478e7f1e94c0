"""The shapes of what Triton feeds a graph: sequence controls, states and batch inputs.

Their source: onnxruntime_backend, src/onnxruntime.cc (ValidateBooleanSequenceControl); backend,
src/backend_input_collector.cc (BatchInputShape).
"""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.tensors import graphs
from slipway.check.tensors.graphs import ConfiguredGraph, DeclaredTensor
from slipway.signature import GraphTensor


def fed_dims(graph: ConfiguredGraph, declared: DeclaredTensor, side: str) -> list[int] | None:
    """Return the dims, without the rows, of what Triton feeds; ``None`` if it is an output."""
    if side == "output":
        return None
    if declared.path[0] == "batch_input":
        batch = declared.message
        sources = [i for i in graph.message.input if i.name in batch.source_input]
        # the others have one number for each request or element
        return [len(sources[0].dims)] if sources and batch.kind == batch.BATCH_ITEM_SHAPE else []
    if declared.path[1] == "control_input":
        return [1]
    return list(declared.message.dims)


def fits(declared: DeclaredTensor, dims: list[int], sizes: list[int]) -> bool:
    """Return whether the graph takes it: a control of one number, a state where sizes agree."""
    if declared.path[1] == "control_input":
        return sizes == [1]
    pairs = zip(dims, sizes, strict=False)
    return len(dims) == len(sizes) and all(-1 in pair or pair[0] == pair[1] for pair in pairs)


def of_fixed_rows(
    model: ModelUnderCheck,
) -> Iterator[tuple[ConfiguredGraph, str, DeclaredTensor, GraphTensor]]:
    """Yield what Triton feeds a model with batches, and the graph takes of one size only."""
    for graph, signature in graphs.graphs_with_signature(model):
        for declared, side, tensor in graphs.fed_tensors(graph, signature):
            size = tensor.shape[0] if tensor.shape and side == "input" else None
            if isinstance(size, int) and size > 0 and graph.message.max_batch_size > 1:
                yield graph, side, declared, tensor
