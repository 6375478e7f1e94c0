"""Whether a config's dims fit a graph's shape, as the native ONNX Runtime backend compares them.

Its source: onnxruntime.cc, ValidateInputs and ValidateOutputs; onnxruntime_utils.cc,
CompareDimsSupported. An output has to be equal, where an open size of the graph counts as -1. The
config may fix an open size of an input.
"""

from __future__ import annotations

from typing import Any, Literal

from slipway.signature import Dim, GraphTensor, Shape

type Verdict = Literal["fits", "shape", "batch", "ragged", "open"]


def compare(declared: Any, tensor: GraphTensor, *, batches: bool, output: bool) -> Verdict:
    """Return how ``declared``, an input or output of a config, fits the graph's ``tensor``.

    "shape": it does not; "batch": the graph's first dimension is not a batch; "ragged": a ragged
    input's shape has to be [-1]; "open": the config fixes an output's size that the graph leaves
    open, which fits only if ONNX Runtime infers the same.
    """
    shape = tensor.shape
    if not output and declared.allow_ragged_batch:
        return "fits" if shape is not None and list(map(_size, shape)) == [-1] else "ragged"
    dims = list(declared.reshape.shape if declared.HasField("reshape") else declared.dims)
    if shape is None and output:
        return "open"
    if not shape:  # a scalar; ONNX Runtime reports an input without a rank in the same way
        return "fits" if all(dim == 1 for dim in dims) else "shape"
    if batches and _size(shape[0]) != -1:
        return "batch"
    sizes = [_size(dim) for dim in (shape[1:] if batches else shape)]
    if len(sizes) != len(dims):
        return "shape"
    if any(size not in (-1, dim) for dim, size in zip(dims, sizes, strict=True)):
        return "shape"
    return "open" if output and dims != sizes else "fits"


def dims_of(tensor: GraphTensor, *, batches: bool) -> list[int]:
    """Return the dims that fit ``tensor``, whose rank is known; without the batch if it has one."""
    shape = tensor.shape or ()
    return [_size(dim) for dim in (shape[1:] if batches else shape)]


def format_shape(shape: Shape | None) -> str:
    """Return a graph's shape as its author wrote it."""
    if shape is None:
        return "no shape"
    return "[" + ", ".join("?" if dim is None else str(dim) for dim in shape) + "]"


def _size(dim: Dim) -> int:
    return dim if isinstance(dim, int) else -1
