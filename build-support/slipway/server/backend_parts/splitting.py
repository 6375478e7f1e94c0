"""Each request's outputs from one run's, split as the native backend splits them.

backend, src/backend_output_responder.cc: ProcessTensor, ProcessBatchOutput; onnxruntime_backend,
src/onnxruntime.cc: ReadOutputTensor, SetStringBuffer.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

type Array = np.ndarray[Any, Any]
type Parts = list[Array | ValueError]
"""One output's part for each request, or why that request fails."""

NO_OFFSETS = "onnx runtime error 1: offsets buffer is not equal to tensor size"


def split(
    name: str, output: Array, dims: Sequence[int] | None, sizes: Sequence[int] | None
) -> Parts:
    """Return the parts of ``output``, one for each request.

    ``sizes`` are the requests' batch sizes, ``None`` for a model without batches. An output of no
    dimensions gets the config's ``dims``, which a state has not. Rows beyond the requests' are left
    out in silence, as the native backend does.

    Raises:
        ValueError: no request can be answered.
    """
    text = output.dtype == np.object_
    if output.ndim == 0:
        if text:
            raise ValueError(NO_OFFSETS)
        if not dims and (dims is None or sizes is not None):
            raise ValueError(
                f"Failed to find the scalar output dimension for {name} in the model configuration."
            )
        output = output.reshape(dims)
    if sizes is None:
        return [output]
    parts: Parts = []
    offset = 0
    for size in sizes:
        # strings are counted, other outputs are split by rows
        part = _strings(name, output, offset, size) if text else _rows(name, output, offset, size)
        parts.append(part)
        offset += size
    return parts


def scatter(
    name: str, output: Array, shape: Sequence[int], sources: Sequence[tuple[int, ...]]
) -> Parts:
    """Return the parts of a ``batch_output``, each of the shape of its request's source input.

    A size of -1 in ``shape`` is that of the same dimension of the source.
    """
    flat, offset = output.ravel(), 0
    parts: Parts = []
    for source in sources:
        own = [source[axis] if size == -1 else size for axis, size in enumerate(shape)]
        part = flat[offset : offset + prod(own)]
        offset += prod(own)
        if len(part) < prod(own):
            parts.append(_beyond(name, offset, flat.size))
        else:
            parts.append(part.reshape(own))
    return parts


def _rows(name: str, output: Array, offset: int, size: int) -> Array | ValueError:
    if offset + size > len(output):
        return ValueError(
            f"failed to split the output tensor '{name}' in responses: expected batch size of at"
            f" least {offset + size} in model output, got {len(output)}"
        )
    return output[offset : offset + size]


def _strings(name: str, output: Array, offset: int, size: int) -> Array | ValueError:
    shape = (size, *output.shape[1:])
    start, end = offset * prod(shape[1:]), (offset + size) * prod(shape[1:])
    if end > output.size:
        return _beyond(name, end, output.size)
    return output.ravel()[start:end].reshape(shape)


def _beyond(name: str, needed: int, available: int) -> ValueError:
    return ValueError(
        f"the output '{name}' has {available} elements for requests that take {needed}: NVIDIA's"
        " backend reads beyond them, which ends the whole server"
    )
