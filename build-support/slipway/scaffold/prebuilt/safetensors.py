"""Read a safetensors file: a header in JSON, and the bytes of each tensor.

https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}
LENGTH = 8  # bytes, of the header's length


def read_safetensors(file: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Return the tensors by name."""
    content = file.read_bytes()
    start = LENGTH + int.from_bytes(content[:LENGTH], "little")
    header = json.loads(content[LENGTH:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        data = np.frombuffer(content[start + begin : start + end], dtype=TYPES[entry["dtype"]])
        tensors[name] = data.reshape(entry["shape"])
    return tensors
