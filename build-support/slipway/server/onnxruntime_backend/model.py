"""A Triton backend that serves ONNX models on the CPU with ONNX Runtime's Python package.

Replaces the native ``onnxruntime`` backend of NVIDIA's container on a server that has none: a
Python-based backend, one ``model.py`` for every model whose config names this backend.
https://github.com/triton-inference-server/backend/blob/main/docs/python_based_backends.md
It accepts and rejects the same configs, and answers as the native one does: one run for all the
requests of a batch, whatever their size.
"""

from __future__ import annotations

import json
import os
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

# before numpy and the stub's own modules: the interpreter starts bare, so that the models' own
# execution environments never use these packages by accident. First this backend's own modules
sys.path[:0] = [
    str(Path(__file__).parent),
    *os.environ.get("SLIPWAY_ONNXRUNTIME_PATH", "").split(os.pathsep),
]

import numpy as np  # noqa: E402
import onnxruntime as ort  # noqa: E402
import triton_python_backend_utils as pb_utils  # noqa: E402

from slipway.server.backend_parts import splitting  # noqa: E402
from slipway.server.backend_parts.states import States  # noqa: E402
from slipway.server.onnxruntime_backend import (  # noqa: E402
    completion,
    joining,
    options,
    validation,
)
from slipway.server.onnxruntime_backend.byte_session import ByteSession  # noqa: E402

# how ONNX Runtime's exceptions begin; the native backend says "onnx runtime error 2: …"
ORT_ERROR = re.compile(r"\[ONNXRuntimeError\] : (\d+) : \w+ : ")
GPU = "GPU"


class TritonPythonModel:
    """One instance of one ONNX model; Triton calls the methods by these names."""

    @staticmethod
    def auto_complete_config(auto_complete_model_config: Any) -> Any:
        """Add the tensors that the config lacks; only a server with auto-complete calls this."""
        config = auto_complete_model_config.as_dict()
        if not completion.is_complete(config):
            session = _open(
                _model_file(_version_folder(), config), options.session_options(config, gpu=False)
            )
            completion.complete(config, session.get_inputs(), session.get_outputs())
        return auto_complete_model_config

    def initialize(self, args: dict[str, str]) -> None:
        """Open the model's session; a difference between graph and config fails the load."""
        config = json.loads(args["model_config"])
        name = args["model_name"]
        gpu = args["model_instance_kind"] == GPU
        file = _model_file(Path(args["model_repository"]) / args["model_version"], config)
        try:
            settings = options.session_options(config, gpu=gpu)
            self.run_options = options.run_options(config)
            self.session = _open(file, settings)
        except Exception as error:  # ONNX Runtime's exceptions have no common public root
            raise pb_utils.TritonModelException(f"{file.name}: {error}") from error
        libraries = config.get("model_operations", {}).get("op_library_filename", [])
        self.open_byte_session = partial(ByteSession, file, settings, libraries)
        self.byte_session: ByteSession | None = None
        graph_inputs = self.session.get_inputs()
        initialisers = self.session.get_overridable_initializers()
        outputs = self.session.get_outputs()
        try:
            validation.check(name, config, graph_inputs, initialisers, outputs)
        except ValueError as error:
            raise pb_utils.TritonModelException(str(error)) from error
        self.batches = config["max_batch_size"] > 0
        self.plan = joining.Plan(
            self.batches,
            frozenset(node.name for node in [*graph_inputs, *initialisers] if not node.shape),
            frozenset(t["name"] for t in config["input"] if t.get("allow_ragged_batch")),
            tuple(config.get("batch_input", [])),
        )
        self.dims = {tensor["name"]: validation.dims_of(tensor) for tensor in config["output"]}
        self.scattered = {
            batch["target_name"][0]: batch["source_input"][0]
            for batch in config.get("batch_output", [])
        }
        self.states = States(config)
        self.outputs = [*dict.fromkeys([*self.dims, *self.states.inputs])]

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer ``requests`` by one run of the graph; if it fails, all of them fail."""
        if self.batches:
            return self._answer(requests)
        return [response for request in requests for response in self._answer([request])]

    def _answer(self, requests: list[Any]) -> list[Any]:
        feeds = [
            self.states.fill(
                request.correlation_id(),
                request.flags(),
                {tensor.name(): tensor.as_numpy() for tensor in request.inputs()},
            )
            for request in requests
        ]
        try:
            parts = self._parts(feeds)
        except Exception as error:  # ONNX Runtime's exceptions have no common public root
            message = ORT_ERROR.sub(r"onnx runtime error \1: ", str(error), count=1)
            return [_failure(message) for _ in requests]
        return [self._response(request, parts, index) for index, request in enumerate(requests)]

    def _parts(self, feeds: list[dict[str, Any]]) -> dict[str, splitting.Parts]:
        """Run the graph once for all ``feeds``; return the parts of each output, one a feed."""
        results = self._run(joining.join(feeds, self.plan))
        sizes = [len(next(iter(feed.values()))) for feed in feeds] if self.batches else None
        parts: dict[str, splitting.Parts] = {}
        for name, result in zip(self.outputs, results, strict=True):
            output = np.asarray(result)
            if name in self.scattered:
                shapes = [feed[self.scattered[name]].shape for feed in feeds]
                shape = [-1, *self.dims[name]] if self.batches else self.dims[name]
                parts[name] = splitting.scatter(name, output, shape, shapes)
            else:
                parts[name] = splitting.split(name, output, self.dims.get(name), sizes)
        return parts

    def _run(self, feed: dict[str, Any]) -> list[Any]:
        try:
            results: list[Any] = self.session.run(self.outputs, feed, self.run_options)
        except UnicodeDecodeError:
            if self.byte_session is None:
                self.byte_session = self.open_byte_session()
            return list(self.byte_session.run(self.outputs, feed))
        return results

    def _response(self, request: Any, parts: dict[str, splitting.Parts], index: int) -> Any:
        arrays: dict[str, Any] = {}
        for name in sorted(parts):  # the native backend reads the outputs in this order
            part = parts[name][index]
            if isinstance(part, ValueError):
                return _failure(f"[request id: {request.request_id() or '<id_unknown>'}] {part}")
            arrays[name] = part
        states = {name: arrays[name] for name in self.states.inputs}
        self.states.update(request.correlation_id(), request.flags(), states)
        # every output, even where the client asked for some: the core drops the others
        tensors = [pb_utils.Tensor(name, arrays[name]) for name in self.dims]
        return pb_utils.InferenceResponse(output_tensors=tensors)


def _model_file(version: Path, config: dict[str, Any]) -> Path:
    file = version / (config.get("default_model_filename") or "model.onnx")
    # a model with external data is a directory, the graph in it always of this name
    return file / "model.onnx" if file.is_dir() else file


def _open(file: Path, settings: Any) -> Any:
    return ort.InferenceSession(str(file), settings, providers=["CPUExecutionProvider"])


def _version_folder() -> Path:
    """Return the version directory of the model whose config is completed.

    The stub of 24.10 has ``get_model_dir`` only after this call; the path is its first argument.
    """
    arguments = Path("/proc/self/cmdline").read_bytes().split(b"\0")
    return Path(os.fsdecode(arguments[1])).parent


def _failure(message: str) -> Any:
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message))
