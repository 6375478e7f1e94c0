"""Triton's datatypes and numpy's types for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from slipway.errors import SlipwayError

Array = np.ndarray[Any, Any]

BYTES = "BYTES"
# https://github.com/triton-inference-server/server, "Datatypes" of the model configuration;
# numpy has no BF16
NUMPY_TYPES: dict[str, type[Any]] = {
    "BOOL": np.bool_,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
    BYTES: np.object_,
}
DATATYPES = {np.dtype(scalar): name for name, scalar in NUMPY_TYPES.items()}


def numpy_type(datatype: str) -> type[Any]:
    """Return numpy's type of a Triton datatype such as ``FP32``.

    Raises:
        SlipwayError: numpy has none, as for BF16.
    """
    if datatype not in NUMPY_TYPES:
        raise SlipwayError(f"numpy has no type for {datatype}", fix="use FP32")
    return NUMPY_TYPES[datatype]


def datatype_of(array: Array) -> str | None:
    """Return Triton's datatype of the array's elements, such as ``FP32``, or ``None``."""
    return BYTES if array.dtype.kind == "S" else DATATYPES.get(array.dtype)
