"""Determine whether a graph supports batches: free first dimensions, and independent rows."""

from __future__ import annotations

import numpy as np

from slipway.signature.trial.example import find_example, nearly_equal
from slipway.signature.trial.graph import Graph
from slipway.signature.trial.two_rows import try_two_rows


def supports_batches(graph: Graph) -> bool:
    """Return whether Triton may join requests along the first dimension of all tensors."""
    return why_no_batches(graph) is None


def why_no_batches(graph: Graph) -> str | None:
    """Return why Triton may not join requests along the first dimension; None if it may.

    The native backend accepts a ``max_batch_size`` only if the first dimensions of all inputs and
    outputs are free (onnxruntime.cc). That is not enough: a softmax over the first dimension mixes
    rows. Where the graph accepts an example, two rows are therefore run together and alone, and
    the results compared.
    """
    for side, tensors in (("input", graph.inputs), ("output", graph.outputs)):
        for tensor in tensors:
            if not tensor.shape or isinstance(tensor.shape[0], int):
                shape = "no dimensions" if not tensor.shape else f"the shape {list(tensor.shape)}"
                return f"{side} {tensor.name!r} has {shape} in the graph, no free first one"
    pair = find_example(graph, batch=2)
    if pair is None:
        if find_example(graph) is None:
            return None
        trial = try_two_rows(graph)
        return str(trial or "") or "the graph does not answer two rows"
    rows = [{name: array[[row]] for name, array in pair.inputs.items()} for row in range(2)]
    try:
        alone = [graph.run(row) for row in rows]
    except Exception as error:  # ONNX Runtime's exceptions have no common public root
        return f"the graph answers two rows, and fails for one: {' '.join(str(error).split())}"
    for name, together in pair.outputs.items():
        single_rows = [np.asarray(outputs[name]) for outputs in alone]
        parts = [np.shape(part) for part in single_rows]
        if len(together) != 2 or any(shape != (1, *together.shape[1:]) for shape in parts):
            return (
                f"output {name!r} has the shape {list(together.shape)} for two rows, and"
                f" {list(parts[0])} for one"
            )
        if pair.repeats and not nearly_equal(together, np.concatenate(single_rows)):
            return f"a row of output {name!r} depends on the other rows"
    return None
