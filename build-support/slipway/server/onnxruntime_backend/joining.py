"""One run's inputs from all requests of a batch, joined as the native backend joins them.

onnxruntime_backend, src/onnxruntime.cc: SetInputTensors, SetStringInputBuffer; backend,
src/backend_input_collector.cc: BatchInputShape, ProcessBatchInput.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

type Array = np.ndarray[Any, Any]
type Arrays = Mapping[str, Array]

BATCH_TYPES = {"TYPE_FP32": np.float32, "TYPE_INT32": np.int32}
NUL = b"\0"


@dataclass(frozen=True)
class Plan:
    """How a model's requests are joined.

    ``scalars`` are the inputs to which the graph gives no dimensions, ``ragged`` those that are
    joined flat, and ``batch_inputs`` the config's, which are computed of others.
    """

    batches: bool
    scalars: frozenset[str]
    ragged: frozenset[str]
    batch_inputs: tuple[Mapping[str, Any], ...]


def join(requests: Sequence[Arrays], plan: Plan) -> dict[str, Array]:
    """Return the inputs of one run of the graph for all ``requests``, by name.

    An input of no dimensions gets one number: the first request's. Strings end at a NUL.
    """
    joined: dict[str, Array] = {}
    for name in requests[0]:
        parts = [request[name] for request in requests]
        if name in plan.ragged:
            array = np.concatenate([part.ravel() for part in parts])
        elif len(parts) == 1:
            array = parts[0]
        else:
            array = np.concatenate(parts)
        if array.dtype == np.object_:
            array = as_text(array)
        elif name in plan.scalars:
            array = array.ravel()[:1].reshape(())
        joined[name] = array
    for batch_input in plan.batch_inputs:
        array = _batch_input(batch_input, [r[batch_input["source_input"][0]] for r in requests])
        joined |= dict.fromkeys(batch_input["target_name"], array)
    return joined


def as_text(array: Array) -> Array:
    """Return an array of bytes as ONNX Runtime takes it, each element cut at its first NUL.

    It converts objects by way of Python's text; what is not UTF-8 goes in as fixed-width bytes.
    """
    cut = [value.split(NUL, 1)[0] for value in array.ravel()]
    try:
        text = np.array([value.decode() for value in cut], dtype=np.object_)
    except UnicodeDecodeError:
        text = np.array(cut, dtype=np.bytes_)
    return text.reshape(array.shape)


def _batch_input(batch_input: Mapping[str, Any], sources: Sequence[Array]) -> Array:
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
