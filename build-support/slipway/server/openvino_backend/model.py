"""A Triton backend that serves OpenVINO models on the CPU with OpenVINO's Python package.

Replaces the native ``openvino`` backend of NVIDIA's container on a server that has none: a
Python-based backend, one ``model.py`` for every model whose config names it. It accepts and rejects
the same configs, and joins requests as the native one does, with the version of OpenVINO that the
serving release has. Where that one reads or writes beyond its memory, this one refuses.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # this backend's own modules come first

from slipway.server.backend_parts.library import use_library

LIBRARY = use_library("openvino")  # before numpy and the stub's own modules

import openvino as ov  # noqa: E402
import triton_python_backend_utils as pb_utils  # noqa: E402

from slipway.server.openvino_backend import network, options  # noqa: E402
from slipway.server.openvino_backend.runs import Runs  # noqa: E402

ON_GPU = "slipway.kind_gpu"  # set by server/cpu_fallback.py in the copy under test


class TritonPythonModel:
    """One instance of one model; Triton calls the methods by these names."""

    @staticmethod
    def auto_complete_config(auto_complete_model_config: Any) -> Any:
        """Return the config as it is; the native backend adds tensors that it lacks."""
        return auto_complete_model_config

    def initialize(self, args: dict[str, str]) -> None:
        """Read and compile the model; a config that it does not fit fails the load."""
        config = json.loads(args["model_config"])
        name, rows = args["model_name"], int(config["max_batch_size"])
        values = {n: v.get("string_value", "") for n, v in config.get("parameters", {}).items()}
        folder = Path(args["model_repository"]) / args["model_version"]
        file = folder / (config.get("default_model_filename") or "model.xml")
        try:
            if ON_GPU in values:
                raise ValueError(_no_gpu(name))
            read = options.read_options(values, LIBRARY.release, batches=rows > 0)
            core = ov.Core()
            if read.extension:
                what = " loading custom CPU extensions"
                network.attempt(what, core.add_extension, read.extension)
            model = network.fit(network.read_model(core, file, name), name, config, read)
            compiled = network.compile_model(core, model, read)
            request = network.attempt(
                "creating infer request object", compiled.create_infer_request
            )
        except ValueError as error:
            raise pb_utils.TritonModelException(str(error)) from None
        self.runs = Runs(request, rows, pads=read.pads)
        self.names = [tensor["name"] for tensor in config["output"]]
        self.batches = rows > 0
        pb_utils.Logger.log_info(LIBRARY.description)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer ``requests`` by one run of the model; if it fails, all of them fail."""
        if self.batches:
            return self._answer(requests)
        return [response for request in requests for response in self._answer([request])]

    def _answer(self, requests: list[Any]) -> list[Any]:
        feeds = [
            {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
            for request in requests
        ]
        try:
            parts = self.runs.answer(feeds, self.names)
        except ValueError as error:
            return [_failure(str(error)) for _ in requests]
        return [self._response(request, parts, index) for index, request in enumerate(requests)]

    def _response(self, request: Any, parts: Any, index: int) -> Any:
        for part in parts.values():
            if isinstance(part[index], ValueError):
                identity = request.request_id() or "<id_unknown>"
                return _failure(f"[request id: {identity}] {part[index]}")
        tensors = [pb_utils.Tensor(name, part[index]) for name, part in parts.items()]
        return pb_utils.InferenceResponse(output_tensors=tensors)


def _no_gpu(name: str) -> str:
    allowed = (
        "Triton OpenVINO backend supports only Kind CPU and AUTO"
        if LIBRARY.release >= options.TARGET_DEVICE_SINCE
        else "Triton openVINO backend supports only CPU device"
    )
    return f"unable to load model '{name}', {allowed}"


def _failure(message: str) -> Any:
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message))
