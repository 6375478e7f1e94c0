"""Triton's datatypes as numpy's, for modules that also run in conversion environments."""

from __future__ import annotations

from typing import Any

import numpy as np

BYTES = "BYTES"
_TYPES: dict[str, Any] = {
    **{"BOOL": np.bool_, "FP16": np.float16, "FP32": np.float32, "FP64": np.float64},
    **{"INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64},
    **{"UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64},
    BYTES: np.object_,
}


def numpy_type(datatype: str) -> np.dtype[Any]:
    """Return numpy's type of a datatype; that of BYTES is an object."""
    return np.dtype(_TYPES[datatype])
