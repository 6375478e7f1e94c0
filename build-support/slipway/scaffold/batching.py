"""Determine whether a graph supports batches: free first dimensions, and independent rows."""

from __future__ import annotations

import numpy as np

from slipway.scaffold.example import find_example, nearly_equal
from slipway.scaffold.graph import Graph


def supports_batches(graph: Graph) -> bool:
    """Return whether Triton may join requests along the first dimension of all inputs and outputs.

    The native backend accepts a ``max_batch_size`` only if all of them are free (onnxruntime.cc).
    Free dimensions are not enough: a softmax over the first dimension mixes rows. Where the graph
    accepts an example, two rows are therefore run together and alone, and the results compared.
    """
    tensors = (*graph.inputs, *graph.outputs)
    if not all(t.shape and not isinstance(t.shape[0], int) for t in tensors):
        return False
    pair = find_example(graph, batch=2)
    if pair is None:
        return find_example(graph) is None
    rows = [{name: array[[row]] for name, array in pair.inputs.items()} for row in range(2)]
    try:
        alone = [graph.run(row) for row in rows]
    except Exception:  # ONNX Runtime's exceptions have no common public root
        return False
    for name, together in pair.outputs.items():
        single_rows = [np.asarray(outputs[name]) for outputs in alone]
        if any(len(part) != 1 or part.shape[1:] != together.shape[1:] for part in single_rows):
            return False
        if len(together) != 2:
            return False
        if pair.repeats and not nearly_equal(together, np.concatenate(single_rows)):
            return False
    return True
