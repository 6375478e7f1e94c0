"""A Triton backend that serves TorchScript models on the CPU with PyTorch's Python package.

Replaces the native ``pytorch`` backend of NVIDIA's container on a server that has none: a
Python-based backend, one ``model.py`` for every model whose config names it. It accepts and rejects
the same configs, and matches tensors as the native one does. Where that one reads or writes beyond
its memory, this one refuses.
"""

from __future__ import annotations

import json
import re
import sys
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # this backend's own modules come first

from slipway.server.backend_parts.library import use_library

LIBRARY = use_library("pytorch")  # before numpy and the stub's own modules

import numpy as np  # noqa: E402
import torch  # noqa: E402
import triton_python_backend_utils as pb_utils  # noqa: E402

from slipway.server.backend_parts import batch_inputs  # noqa: E402
from slipway.server.backend_parts.splitting import Parts  # noqa: E402
from slipway.server.backend_parts.states import States  # noqa: E402
from slipway.server.pytorch_backend import options, results, signature  # noqa: E402

warnings.filterwarnings("ignore", category=FutureWarning)  # that TorchScript will go
VISION = "torchvision::"
RUNTIME = re.compile(r"^[^#\n]*\bruntime\s*:", re.MULTILINE)


class TritonPythonModel:
    """One instance of one TorchScript model; Triton calls the methods by these names."""

    @staticmethod
    def auto_complete_config(auto_complete_model_config: Any) -> Any:
        """Return the config as it is: a TorchScript file does not say what it takes."""
        return auto_complete_model_config

    def initialize(self, args: dict[str, str]) -> None:
        """Load the model; a config that it does not fit fails the load."""
        config = json.loads(args["model_config"])
        name = args["model_name"]
        values = {n: v.get("string_value", "") for n, v in config.get("parameters", {}).items()}
        try:
            _check_runtime(Path(args["model_repository"]) / "config.pbtxt")
            self.inference_mode = options.apply_parameters(values)
            folder = Path(args["model_repository"]) / args["model_version"]
            self.model = _load(folder, config, name)
            self.signature = signature.match(name, config, _arguments(self.model))
        except (ValueError, OverflowError) as error:
            raise pb_utils.TritonModelException(str(error)) from None
        self.batches = config["max_batch_size"] > 0
        self.batch_inputs = config.get("batch_input", [])
        self.ragged = {t["name"] for t in config["input"] if t.get("allow_ragged_batch")}
        self.names = [tensor["name"] for tensor in config["output"]]
        self.states = States(config)
        pb_utils.Logger.log_info(LIBRARY.description)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer ``requests`` by one call of ``forward``; if it fails, all of them fail."""
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
        sizes = [len(next(iter(feed.values()))) for feed in feeds] if self.batches else None
        try:
            returned = self._forward(self._join(feeds))
            parts = results.split_results(
                returned, self.signature.outputs, self.signature.data_types, sizes
            )
        except ValueError as error:
            return [_failure(str(error)) for _ in requests]
        return [self._response(request, parts, index) for index, request in enumerate(requests)]

    def _join(self, feeds: list[dict[str, Any]]) -> dict[str, Any]:
        joined: dict[str, Any] = {}
        for name in feeds[0]:
            arrays = [feed[name] for feed in feeds]
            if name in self.ragged:
                arrays = [array.ravel() for array in arrays]
            joined[name] = _tensor(np.concatenate(arrays) if len(arrays) > 1 else arrays[0])
        for each in self.batch_inputs:
            sources = [feed[each["source_input"][0]] for feed in feeds]
            array = batch_inputs.compute(each, sources)
            joined |= {name: _tensor(array) for name in each["target_name"]}
        return joined

    def _forward(self, tensors: dict[str, Any]) -> list[Any]:
        """Return the results of ``forward``.

        Raises:
            ValueError: it failed, or has other results than tensors and lists of texts.
        """
        arguments: list[Any] = [None] * len(tensors)
        for name, tensor in tensors.items():
            arguments[self.signature.inputs[name]] = tensor
        try:
            with torch.inference_mode(self.inference_mode), torch.no_grad():
                returned = (
                    self.model(tensors) if self.signature.takes_dict else self.model(*arguments)
                )
            return results.results_of(returned)
        except Exception as error:  # PyTorch's have no common public root
            raise ValueError(f"PyTorch execute failure: {error}") from error

    def _response(self, request: Any, parts: dict[str, Parts], index: int) -> Any:
        arrays: dict[str, Any] = {}
        for name, part in parts.items():
            if isinstance(part[index], ValueError):
                identity = request.request_id() or "<id_unknown>"
                return _failure(f"[request id: {identity}] {part[index]}")
            arrays[name] = part[index]
        states = {name: arrays[name] for name in self.states.inputs}
        self.states.update(request.correlation_id(), request.flags(), states)
        tensors = [pb_utils.Tensor(name, arrays[name]) for name in self.names]
        return pb_utils.InferenceResponse(output_tensors=tensors)


def _check_runtime(file: Path) -> None:
    # the core has set this backend's own runtime in the config
    if file.is_file() and RUNTIME.search(file.read_text(encoding="utf-8")):
        raise ValueError(
            "a runtime in the config runs PyTorch models that are written in Python, which"
            ' Slipway\'s backend does not: make it a model of backend: "python"'
        )


def _load(folder: Path, config: dict[str, Any], name: str) -> Any:
    file = folder / (config.get("default_model_filename") or "model.pt")
    if not file.exists():
        raise ValueError(f"unable to find '{file}' for model instance '{name}'")
    try:
        try:
            return torch.jit.load(str(file), map_location="cpu")
        except RuntimeError as error:
            if VISION not in str(error):
                raise
            import torchvision  # noqa: F401 - its operators, which the native backend has

            return torch.jit.load(str(file), map_location="cpu")
    except Exception as error:  # PyTorch's have no common public root
        # natively, lines of C++ frames follow
        what = str(error).strip().partition("\n")[0]
        raise ValueError(f"failed to load model '{name}': {what}") from error


def _arguments(model: Any) -> list[signature.Argument]:
    try:
        schema = model._c._get_method("forward").schema
    except RuntimeError as error:
        raise ValueError(
            f"{error}: NVIDIA's backend ends the whole server with a model without forward()"
        ) from error
    arguments = [
        signature.Argument(argument.name, argument.type.kind(), str(argument.type))
        for argument in schema.arguments
    ]
    # the first one is self
    return arguments[1:] if arguments and arguments[0].kind == "ClassType" else arguments


def _tensor(array: Any) -> Any:
    if array.dtype != np.object_:
        # one of its own: the request's memory cannot be written to
        return torch.from_numpy(np.array(array))
    try:
        return [text.decode() for text in array.ravel()]
    except UnicodeDecodeError:
        return list(array.ravel())


def _failure(message: str) -> Any:
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message))
