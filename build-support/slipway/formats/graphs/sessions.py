"""Open graphs with ONNX Runtime: their tensors, and sizes with which they run."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.formats.datatypes import BYTES, numpy_type
from slipway.formats.format import Tensor

# tried for free sizes: images need larger ones than text
SIZES = (8, 3, 2, 4, 1, 16, 32, 64, 128, 224, 256, 512)
DATATYPES = {"float": "FP32", "double": "FP64", "float16": "FP16", "string": BYTES, "bool": "BOOL"}


def open_session(file: Path) -> Any:
    """Open a graph on the CPU.

    Raises:
        SlipwayError: ONNX Runtime refuses it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no common public root
        raise SlipwayError(
            f"ONNX Runtime {onnxruntime.__version__} cannot open it: {error}",
            where=str(file),
            fix="export it again, with operators of ONNX Runtime",
        ) from error


def versions() -> dict[str, str]:
    """Return the versions of what reads and runs graphs."""
    return {name: version(name) for name in ("onnx", "onnxruntime")}


def has_free_batch(shape: Sequence[Any]) -> bool:
    """Return whether the first size of ``shape`` is free, as a batch's is."""
    return bool(shape) and not isinstance(shape[0], int)


def tensor_of(declared: Any, *, batch: bool, size: int) -> Tensor:
    """Return a tensor of a session as that of one row; ``size`` is its example's free sizes.

    Raises:
        SlipwayError: it is a sequence or a map.
    """
    dims = tuple(dim if isinstance(dim, int) else -1 for dim in declared.shape)
    dims = dims[1:] if batch else dims
    example = tuple(size if dim < 0 else dim for dim in dims)
    return Tensor(declared.name, _datatype(declared), dims, example=example)


def _datatype(declared: Any) -> str:
    inner: str = declared.type.removeprefix("tensor(").removesuffix(")")
    if not declared.type.startswith("tensor("):
        raise SlipwayError(
            f"{declared.name!r} is {declared.type}: Triton has tensors only",
            fix="export it without ZipMap and sequences (skl2onnx: options={'zipmap': False})",
        )
    return DATATYPES.get(inner, inner.upper())


def find_size(session: Any, inputs: Sequence[Any], *, batch: bool) -> int:
    """Return a size of free dimensions with which the graph runs; the first if none does."""
    for size in SIZES:
        feed = {}
        for tensor in inputs:
            shape = [dim if isinstance(dim, int) else size for dim in tensor.shape]
            shape = [1, *shape[1:]] if batch else shape
            dtype = numpy_type(_datatype(tensor))
            feed[tensor.name] = np.full(shape, "" if dtype.kind == "O" else 1, dtype)
        try:
            session.run(None, feed)
        except Exception:  # the graph refuses this size
            continue
        return size
    return SIZES[0]
