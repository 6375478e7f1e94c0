"""Whether a config's dims fit a graph's shape, as the native ONNX Runtime backend compares them.

Its source: onnxruntime.cc, ValidateInputs and ValidateOutputs; onnxruntime_utils.cc,
CompareDimsSupported. An output has to be equal, the graph's open sizes being -1; an input's open
sizes may be fixed by the config.
"""

from __future__ import annotations

from typing import Any, Literal

from slipway.signature import Dim, Shape, Tensor

type Verdict = Literal["fits", "shape", "batch", "ragged", "open"]


def compare(declared: Any, tensor: Tensor, *, batches: bool, output: bool) -> Verdict:
    """How ``declared``, an input or output of a config, fits the graph's ``tensor``.

    "shape": it does not; "batch": the graph's first dimension is no batch; "ragged": a ragged
    input's shape has to be [-1]; "open": an output's size that the graph leaves open is fixed in
    the config, which fits only if ONNX Runtime infers the same.
    """
    shape = tensor.shape
    if not output and declared.allow_ragged_batch:
        return "fits" if shape is not None and list(map(_size, shape)) == [-1] else "ragged"
    dims = list(declared.reshape.shape if declared.HasField("reshape") else declared.dims)
    if shape is None and output:
        return "open"
    if not shape:  # a scalar; ONNX Runtime says the same of an input without a rank
        return "fits" if all(dim == 1 for dim in dims) else "shape"
    if batches and _size(shape[0]) != -1:
        return "batch"
    sizes = [_size(dim) for dim in (shape[1:] if batches else shape)]
    if len(sizes) != len(dims):
        return "shape"
    if any(theirs not in (-1, ours) for ours, theirs in zip(dims, sizes)):
        return "shape"
    return "open" if output and dims != sizes else "fits"


def dims_of(tensor: Tensor, *, batches: bool) -> list[int]:
    """The dims that fit ``tensor``, whose rank is known; without the batch's, if it ``batches``."""
    shape = tensor.shape or ()
    return [_size(dim) for dim in (shape[1:] if batches else shape)]


def shown(shape: Shape | None) -> str:
    """A graph's shape as its author wrote it."""
    if shape is None:
        return "no shape"
    return "[" + ", ".join("?" if dim is None else str(dim) for dim in shape) + "]"


def _size(dim: Dim) -> int:
    return dim if isinstance(dim, int) else -1
