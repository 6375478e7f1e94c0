"""Determine whether a graph supports batches: free first dimensions, and independent rows."""

from __future__ import annotations

import numpy as np

from slipway.scaffold import example
from slipway.scaffold.graph import Graph


def batches(graph: Graph) -> bool:
    """Whether Triton may join requests along the first dimension of every input and output.

    The native backend takes a ``max_batch_size`` only if all of them are free (onnxruntime.cc).
    That they are is not enough: a softmax over the first dimension mixes rows. So two rows are
    asked for together and alone, where an example can be found.
    """
    tensors = (*graph.inputs, *graph.outputs)
    if not all(t.shape and not isinstance(t.shape[0], int) for t in tensors):
        return False
    found = example.find(graph, batch=2)
    if found is None:
        return example.find(graph) is None
    rows = [{name: array[[row]] for name, array in found.inputs.items()} for row in range(2)]
    try:
        alone = [graph.run(row) for row in rows]
    except Exception:  # ONNX Runtime's exceptions have no common public root
        return False
    for name, together in found.outputs.items():
        apart = [np.asarray(answer[name]) for answer in alone]
        if any(len(part) != 1 or part.shape[1:] != together.shape[1:] for part in apart):
            return False
        if len(together) != 2:
            return False
        if found.repeats and not example.close(together, np.concatenate(apart)):
            return False
    return True
