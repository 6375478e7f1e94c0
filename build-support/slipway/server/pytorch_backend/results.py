"""What ``forward`` returned, and each request's part of it, as the native backend reads it.

pytorch_backend, src/libtorch.cc: ModelInstanceState::Execute, ProcessRequests, ReadOutputTensors,
SetStringBuffer. The messages are its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from slipway.server.backend_parts.splitting import Parts, split

# libtorch_utils.cc: ConvertTorchTypeToDataType
DATA_TYPES = {
    torch.bool: "BOOL",
    torch.uint8: "UINT8",
    torch.int8: "INT8",
    torch.int16: "INT16",
    torch.int32: "INT32",
    torch.int64: "INT64",
    torch.float16: "FP16",
    torch.float32: "FP32",
    torch.float64: "FP64",
}


def results_of(returned: Any) -> list[Any]:
    """Return the tensors and lists of texts that ``forward`` returned.

    Raises:
        ValueError: it returned something else.
    """
    if isinstance(returned, tuple):
        for index, item in enumerate(returned):
            if isinstance(item, list):
                _check_texts(item, f"output at index {index}")
            elif not isinstance(item, torch.Tensor):
                raise ValueError(f"Expected Tensor but got {type(item).__name__}")
        return list(returned)
    if isinstance(returned, torch.Tensor):
        return [returned]
    if isinstance(returned, list):
        _check_texts(returned, "output")
        return [returned]
    raise ValueError(
        "output must be of type Tensor, List[str] or Tuple containing one of these two types. It"
        " should not be a List / Dictionary of Tensors or a Scalar"
    )


def split_results(
    results: Sequence[Any],
    outputs: Mapping[str, int],
    data_types: Mapping[str, str],
    sizes: Sequence[int] | None,
) -> dict[str, Parts]:
    """Return the parts of each output, one for each request of ``sizes`` rows.

    Raises:
        ValueError: every request fails.
    """
    for name in sorted(outputs):  # the native backend has them in a std::map
        if outputs[name] >= len(results):
            raise ValueError(
                f"The output {name} in the model configuration refers to an output index which"
                f" doesn't exist. This model has {len(results)} outputs"
            )
    parts: dict[str, Parts] = {}
    for name in sorted(outputs):
        result = results[outputs[name]]
        if isinstance(result, list):
            parts[name] = _texts(name, result, sizes)
        else:
            parts[name] = split(name, _array(name, result, data_types[name]), None, sizes)
    return parts


def _check_texts(items: list[Any], what: str) -> None:
    if items and not isinstance(items[0], str):
        kind = "Tensor" if isinstance(items[0], torch.Tensor) else type(items[0]).__name__
        raise ValueError(f"{what} must be of type Tensor or List[str], received List[{kind}]")


def _array(name: str, result: Any, expected: str) -> np.ndarray[Any, Any]:
    data_type = DATA_TYPES.get(result.dtype, "<invalid>")
    if data_type != expected:
        raise ValueError(
            f"configuration expects datatype TYPE_{expected} for output '{name}', model provides"
            f" TYPE_{data_type}"
        )
    if result.ndim == 0:
        raise ValueError(f"output '{name}' is a scalar which is not supported.")
    array: np.ndarray[Any, Any] = result.detach().contiguous().numpy()
    return array


def _texts(name: str, texts: Sequence[str], sizes: Sequence[int] | None) -> Parts:
    """Return each request's texts: of a batch, every request gets the first ones of the list."""
    parts: Parts = []
    for size in [len(texts)] if sizes is None else sizes:
        if size > len(texts):
            raise ValueError(
                f"the output '{name}' has {len(texts)} texts for {size} rows: NVIDIA's backend"
                " reads beyond them, which ends the whole server"
            )
        part = np.empty(size, np.object_)
        part[:] = [text.encode() for text in texts[:size]]
        parts.append(part)
    return parts
