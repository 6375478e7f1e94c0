"""Call a Python model as Triton's Python backend does, for one request at a time."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.formats.format import Array, Converted, Tensor
from slipway.formats.rows import answer_in_batches
from slipway.formats.served import python_utilities

sys.modules["triton_python_backend_utils"] = python_utilities


def answer_with(
    kind: Any, version: Path, rows: Mapping[str, Array], converted: Converted
) -> dict[str, Array]:
    """Return the answers of a ``TritonPythonModel``, by the names of ``converted.outputs``.

    ``version`` is its version directory: ``<repository>/<version>``.
    """
    model = kind()
    arguments = {
        "model_config": json.dumps(_config(converted)),
        "model_repository": str(version.parent),
        "model_version": version.name,
        "model_name": "model",
        "model_instance_name": "model_0_0",
        "model_instance_kind": "CPU",
        "model_instance_device_id": "0",
    }
    try:
        if hasattr(model, "initialize"):
            model.initialize(arguments)
    except python_utilities.TritonModelException as error:
        raise SlipwayError(
            f"the backend {converted.backend} refuses what was converted: {error}",
            fix="serve it another way: --backend",
        ) from error

    def run(part: dict[str, Array]) -> dict[str, Array]:
        inputs = [
            python_utilities.Tensor(converted.served.get(name, name), _as_bytes(array))
            for name, array in part.items()
        ]
        names = {o.name: converted.served.get(o.name, o.name) for o in converted.outputs}
        request = python_utilities.InferenceRequest(inputs, list(names.values()))
        (response,) = model.execute([request])
        if response.has_error():
            raise SlipwayError(
                f"the backend {converted.backend} fails: {response.error().message()}",
                fix="serve it another way: --backend",
            )
        outputs = {tensor.name(): tensor.as_numpy() for tensor in response.output_tensors()}
        return {name: outputs[served] for name, served in names.items()}

    return answer_in_batches(run, dict(rows), converted.max_batch_size)


def _as_bytes(array: Array) -> Array:
    """Turn text into bytes, as a server passes it on."""
    if array.dtype.kind != "O":
        return array
    texts = [text.encode() if isinstance(text, str) else text for text in array.ravel()]
    return np.array([*texts, None], dtype=object)[:-1].reshape(array.shape)


def _config(converted: Converted) -> dict[str, Any]:
    def tensor(declared: Tensor) -> dict[str, Any]:
        name = converted.served.get(declared.name, declared.name)
        dims = list(declared.dims)
        return {"name": name, "data_type": f"TYPE_{_type(declared)}", "dims": dims}

    parameters = {name: {"string_value": text} for name, text in converted.parameters.items()}
    return {
        "name": "model",
        "backend": "python",
        "max_batch_size": converted.max_batch_size,
        "input": [tensor(declared) for declared in converted.inputs],
        "output": [tensor(declared) for declared in converted.outputs],
        "parameters": parameters,
    }


def _type(declared: Tensor) -> str:
    return "STRING" if declared.datatype == "BYTES" else declared.datatype
