"""Inputs that Triton computes of others, for all requests of a batch.

backend, src/backend_input_collector.cc: BatchInputShape, ProcessBatchInput.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

type Array = np.ndarray[Any, Any]

BATCH_TYPES = {"TYPE_FP32": np.float32, "TYPE_INT32": np.int32}


def compute(batch_input: Mapping[str, Any], sources: Sequence[Array]) -> Array:
    """Return what a ``batch_input`` of the config is for requests with these ``sources``."""
    kind, data_type = batch_input["kind"], BATCH_TYPES[batch_input["data_type"]]
    counts = np.array([source.size for source in sources])
    if kind == "BATCH_ELEMENT_COUNT":
        return counts.astype(data_type)
    if kind == "BATCH_ACCUMULATED_ELEMENT_COUNT":
        return counts.cumsum().astype(data_type)
    if kind == "BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO":
        return np.concatenate([[0], counts.cumsum()]).astype(data_type)
    if kind == "BATCH_MAX_ELEMENT_COUNT_AS_SHAPE":
        return np.zeros(counts.max(), data_type)  # its shape says it, its content means nothing
    rows = [source.shape[1:] for source in sources for _ in range(source.shape[0])]
    shapes = np.array(rows, dtype=data_type)
    return shapes.ravel() if kind == "BATCH_ITEM_SHAPE_FLATTEN" else shapes
