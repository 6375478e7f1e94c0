"""A Triton backend that serves ONNX models on the CPU with ONNX Runtime's Python package.

Replaces the native ``onnxruntime`` backend of NVIDIA's container on a server that has none: a
Python-based backend, one ``model.py`` for every model whose config names this backend.
https://github.com/triton-inference-server/backend/blob/main/docs/python_based_backends.md
It reads the same config and rejects the same mistakes as the native one.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

# before numpy and the stub's own modules: the interpreter starts bare, so that the models' own
# execution environments never use these packages by accident
sys.path[:0] = os.environ.get("SLIPWAY_ONNXRUNTIME_PATH", "").split(os.pathsep)

import numpy as np  # noqa: E402
import onnxruntime as ort  # noqa: E402
import triton_python_backend_utils as pb_utils  # noqa: E402

DATA_TYPES = {
    "tensor(bool)": "TYPE_BOOL",
    "tensor(uint8)": "TYPE_UINT8",
    "tensor(uint16)": "TYPE_UINT16",
    "tensor(uint32)": "TYPE_UINT32",
    "tensor(uint64)": "TYPE_UINT64",
    "tensor(int8)": "TYPE_INT8",
    "tensor(int16)": "TYPE_INT16",
    "tensor(int32)": "TYPE_INT32",
    "tensor(int64)": "TYPE_INT64",
    "tensor(float16)": "TYPE_FP16",
    "tensor(float)": "TYPE_FP32",
    "tensor(double)": "TYPE_FP64",
    "tensor(string)": "TYPE_STRING",
}
# the native backend's levels: triton-inference-server/onnxruntime_backend, src/onnxruntime.cc
GRAPH_LEVELS = {
    -1: ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    0: ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
    1: ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
}

# joined runs save overhead, until the layers between leave the core's cache: a small convolutional
# network took 1.0 ms an image of 196 kB alone, and 1.4 ms in a batch of four
JOINED_BYTES = 1 << 18

Arrays = dict[str, "np.ndarray[Any, Any]"]


class TritonPythonModel:
    """One instance of one ONNX model; Triton calls the three methods by these names."""

    def initialize(self, args: dict[str, str]) -> None:
        """Open the model's session; a difference between graph and config fails the load."""
        config = json.loads(args["model_config"])
        self.name = args["model_name"]
        file = _model_file(Path(args["model_repository"]) / args["model_version"], config)
        try:
            self.session = ort.InferenceSession(
                str(file), _options(config), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's exceptions have no common public root
            raise pb_utils.TritonModelException(f"{file.name}: {error}") from error
        self.batches = config["max_batch_size"] > 0
        graph_inputs = self.session.get_inputs()
        initialisers = self.session.get_overridable_initializers()
        self._check_kinds([*graph_inputs, *initialisers, *self.session.get_outputs()])
        self._check_optional(config, graph_inputs, initialisers)
        self._check("input", config, [*graph_inputs, *initialisers])
        self._check("output", config, self.session.get_outputs())
        self.inputs = [tensor["name"] for tensor in config["input"]]
        missing = {node.name for node in graph_inputs} - set(self.inputs)
        if missing:
            raise pb_utils.TritonModelException(
                f"{self.name}: the graph needs the input {sorted(missing)[0]!r}, which the model"
                " configuration does not have"
            )
        self.outputs = [tensor["name"] for tensor in config["output"]]
        self.text = {t["name"] for t in config["input"] if t["data_type"] == "TYPE_STRING"}
        # one that the graph gives no dimensions travels as dims [1]
        self.scalars = {node.name for node in [*graph_inputs, *initialisers] if not node.shape}
        self.shapes = [[int(dim) for dim in tensor["dims"]] for tensor in config["output"]]

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer ``requests``, small ones of equal shapes by one run of the graph."""
        responses: list[Any] = [None] * len(requests)
        groups: dict[Any, list[tuple[int, Arrays]]] = defaultdict(list)
        for index, request in enumerate(requests):
            try:
                feed = self._feed(request)
            except UnicodeDecodeError as error:
                responses[index] = _failure(f"{self.name}: a string input is not UTF-8: {error}")
                continue
            key = tuple((name, array.shape[1:]) for name, array in feed.items())
            groups[key if self.batches and not self.scalars else index].append((index, feed))
        for members in groups.values():
            for (index, _), answer in zip(
                members, self._run([feed for _, feed in members]), strict=True
            ):
                responses[index] = answer
        return responses

    def _run(self, feeds: list[Arrays]) -> list[Any]:
        size = sum(array.nbytes for feed in feeds for array in feed.values())
        if len(feeds) == 1 or size > JOINED_BYTES:
            return [self._run_one(feed) for feed in feeds]
        joined = {name: np.concatenate([feed[name] for feed in feeds]) for name in feeds[0]}
        try:
            results = self.session.run(self.outputs, joined)
        except Exception:  # ONNX Runtime's exceptions have no common public root
            # one request's data must not fail its neighbours
            return [self._run_one(feed) for feed in feeds]
        ends = np.cumsum([len(next(iter(feed.values()))) for feed in feeds])
        split = zip(*(np.split(result, ends[:-1]) for result in results), strict=True)
        return [self._response(list(parts)) for parts in split]

    def _run_one(self, feed: Arrays) -> Any:
        try:
            return self._response(self.session.run(self.outputs, feed))
        except Exception as error:  # ONNX Runtime's exceptions have no common public root
            return _failure(f"{self.name}: {error}")

    def _response(self, results: list[Any]) -> Any:
        # every output, even where the client asked for some: the core drops the others
        tensors = [
            pb_utils.Tensor(name, np.asarray(result).reshape(np.shape(result) or shape))
            for name, result, shape in zip(self.outputs, results, self.shapes, strict=True)
        ]
        return pb_utils.InferenceResponse(output_tensors=tensors)

    def _feed(self, request: Any) -> Arrays:
        feed = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
        for name in self.text & feed.keys():
            texts = [text.decode() for text in feed[name].ravel()]
            feed[name] = np.array(texts, dtype=object).reshape(feed[name].shape)
        for name in self.scalars & feed.keys():
            if feed[name].size == 1:
                feed[name] = feed[name].reshape(())
        return {name: feed[name] for name in self.inputs if name in feed}

    def _check_kinds(self, nodes: list[Any]) -> None:
        """Reject sequences and maps, even where the config does not name them."""
        for node in nodes:
            if not node.type.startswith("tensor("):
                raise pb_utils.TritonModelException(
                    f"{self.name}: Unsupported ONNX Type {node.type!r} for I/O {node.name!r}"
                )

    def _check_optional(
        self, config: dict[str, Any], needed: list[Any], initialisers: list[Any]
    ) -> None:
        """Reject a config whose optional inputs are not those for which the graph has a value."""
        known = {node.name: False for node in needed} | {node.name: True for node in initialisers}
        for tensor in config["input"]:
            name, optional = tensor["name"], bool(tensor.get("optional"))
            if optional and self.batches:
                raise pb_utils.TritonModelException(
                    f"{self.name}: optional input {name!r} is not supported for models that support"
                    " batching"
                )
            if known.get(name, optional) != optional:
                raise pb_utils.TritonModelException(
                    f"{self.name}: input {name!r} is {'' if optional else 'not '}optional in the"
                    f" model configuration, but {'not ' if optional else ''}in the graph"
                )

    def _check(self, side: str, config: dict[str, Any], nodes: list[Any]) -> None:
        graph = {node.name: node for node in nodes}
        for tensor in config[side]:
            name = tensor["name"]
            node = graph.get(name)
            if node is None:
                raise pb_utils.TritonModelException(
                    f"{self.name}: unexpected inference {side} {name!r}, the graph has:"
                    f" {', '.join(sorted(graph))}"
                )
            expected = DATA_TYPES.get(node.type)
            if expected is None:
                raise pb_utils.TritonModelException(
                    f"{self.name}: {side} {name!r} is a {node.type}, which is not supported here"
                )
            if tensor["data_type"] != expected:
                raise pb_utils.TritonModelException(
                    f"{self.name}: {side} {name!r} is {tensor['data_type']} in the model"
                    f" configuration and {expected} in the graph"
                )
            reshape = tensor.get("reshape")
            dims = [int(dim) for dim in (reshape["shape"] if reshape else tensor["dims"])]
            shape = [-1, *dims] if self.batches else dims
            if not _agree(dims if not node.shape else shape, node.shape, side == "output"):
                raise pb_utils.TritonModelException(
                    f"{self.name}: {side} {name!r} has the shape {shape} in the model"
                    f" configuration and {node.shape} in the graph"
                )


def _agree(shape: list[int], graph: list[Any], exactly: bool) -> bool:
    """Return whether the native backend accepts ``shape`` for the graph's (CompareDimsSupported).

    The graph names free sizes by text or None; an input's may be fixed by the config. A scalar, and
    a tensor of unknown rank, has sizes of 1 only.
    """
    if not graph:
        return all(dim == 1 for dim in shape)
    sizes = [dim if isinstance(dim, int) else -1 for dim in graph]
    free = () if exactly else (-1,)
    return len(shape) == len(sizes) and all(
        theirs in (ours, *free) for ours, theirs in zip(shape, sizes, strict=True)
    )


def _model_file(version: Path, config: dict[str, Any]) -> Path:
    file = version / (config.get("default_model_filename") or "model.onnx")
    # a model with external data is a directory, the graph in it always of this name
    return file / "model.onnx" if file.is_dir() else file


def _options(config: dict[str, Any]) -> Any:
    parameters = {k: v["string_value"] for k, v in config.get("parameters", {}).items()}
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = int(parameters.get("intra_op_thread_count") or _share(config))
    options.inter_op_num_threads = int(parameters.get("inter_op_thread_count") or 1)
    if parameters.get("execution_mode") == "1":
        options.execution_mode = ort.ExecutionMode.ORT_PARALLEL
    graph = config.get("optimization", {}).get("graph", {})
    options.graph_optimization_level = GRAPH_LEVELS.get(
        int(graph.get("level", 0)), ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    )
    # a spinning thread takes the core that pre- and postprocessing run on
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _share(config: dict[str, Any]) -> int:
    """Return this instance's share of the cores, the other steps of the ensemble counted as one."""
    instances = sum(int(group.get("count", 1)) for group in config.get("instance_group", []))
    return max(1, len(os.sched_getaffinity(0)) // (max(1, instances) + 1))


def _failure(message: str) -> Any:
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message))
