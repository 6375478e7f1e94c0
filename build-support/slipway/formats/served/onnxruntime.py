"""Answer rows with ONNX Runtime, as Triton's backend of that name does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from slipway.formats.format import Array, Converted
from slipway.formats.rows import answer_in_batches

ERRORS_ONLY = 3


def answer(folder: Path, rows: Mapping[str, Array], converted: Converted) -> dict[str, Array]:
    """Return the answers of the first file, by the names of ``converted.outputs``."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    file = next(name for name in converted.files if name.endswith(".onnx"))
    session = onnxruntime.InferenceSession(
        str(folder / file), options, providers=["CPUExecutionProvider"]
    )
    names = {
        tensor.name: converted.served.get(tensor.name, tensor.name)
        for tensor in (*converted.inputs, *converted.outputs)
    }

    def run(part: dict[str, Array]) -> dict[str, Array]:
        feed = {names[name]: np.ascontiguousarray(array) for name, array in part.items()}
        outputs: list[Any] = session.run([names[o.name] for o in converted.outputs], feed)
        return {
            tensor.name: np.asarray(output)
            for tensor, output in zip(converted.outputs, outputs, strict=True)
        }

    return answer_in_batches(run, dict(rows), converted.max_batch_size)


def versions() -> dict[str, str]:
    """Return the versions of what answered."""
    return {"onnxruntime": onnxruntime.__version__}
