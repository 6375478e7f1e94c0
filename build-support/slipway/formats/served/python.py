"""Answer rows with a Python model, as Triton's Python backend calls it."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from slipway.formats.format import Array, Converted, Tensor
from slipway.formats.rows import answer_in_batches
from slipway.formats.served import python_utilities

UTILITIES = "triton_python_backend_utils"


def answer(folder: Path, rows: Mapping[str, Array], converted: Converted) -> dict[str, Array]:
    """Return the answers of ``model.py``, by the names of ``converted.outputs``."""
    sys.modules[UTILITIES] = python_utilities
    version = folder.resolve()
    sys.path.insert(0, str(version))
    spec = importlib.util.spec_from_file_location("model", version / "model.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["model"] = module
    spec.loader.exec_module(module)
    model = module.TritonPythonModel()
    # the folder is the version's: <repository>/<version>
    arguments = {
        "model_config": json.dumps(_config(converted)),
        "model_repository": str(version.parent),
        "model_version": version.name,
        "model_name": "model",
        "model_instance_name": "model_0_0",
        "model_instance_kind": "CPU",
        "model_instance_device_id": "0",
    }
    if hasattr(model, "initialize"):
        model.initialize(arguments)

    def run(part: dict[str, Array]) -> dict[str, Array]:
        inputs = [
            python_utilities.Tensor(converted.served.get(name, name), _as_bytes(array))
            for name, array in part.items()
        ]
        names = {o.name: converted.served.get(o.name, o.name) for o in converted.outputs}
        request = python_utilities.InferenceRequest(inputs, list(names.values()))
        (response,) = model.execute([request])
        if response.has_error():
            raise RuntimeError(response.error().message())
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


def versions() -> dict[str, str]:
    """Return the versions of what answered."""
    return {"python": sys.version.split()[0]}
