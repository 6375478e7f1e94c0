"""One run's inputs from all requests of a batch, joined as the native backend joins them.

onnxruntime_backend, src/onnxruntime.cc: SetInputTensors, SetStringInputBuffer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slipway.server.backend_parts.batch_inputs import compute

type Array = np.ndarray[Any, Any]
type Arrays = Mapping[str, Array]

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
        array = compute(batch_input, [r[batch_input["source_input"][0]] for r in requests])
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
