"""A Triton backend that serves forests on the CPU with Treelite's Python package.

Replaces the native ``fil`` backend of NVIDIA's container on a server that has none: a Python-based
backend, one ``model.py`` for every model whose config names it. On a CPU the native backend
computes with GTIL, a part of Treelite, too; the version is that of the release that serves. It
accepts and rejects the same configs. Where the native one reads or writes beyond its memory, this
one refuses.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # this backend's own modules come first

from slipway.server.backend_parts.library import use_library

LIBRARY = use_library("fil")  # before numpy and the stub's own modules

import numpy as np  # noqa: E402
import triton_python_backend_utils as pb_utils  # noqa: E402

from slipway.server.backend_parts import splitting  # noqa: E402
from slipway.server.fil_backend import scores  # noqa: E402
from slipway.server.fil_backend.forest import Forest, open_forest  # noqa: E402
from slipway.server.fil_backend.parameters import (  # noqa: E402
    Parameters,
    model_file,
    read_parameters,
)
from slipway.server.fil_backend.treeshap import TreeShap  # noqa: E402
from slipway.triton.datatypes import datatype_of  # noqa: E402
from slipway.triton.image.forest_libraries import (  # noqa: E402
    BROKEN_RELEASES,
    VECTOR_BASE_SCORES_SINCE,
)

INPUT, OUTPUT, SHAP = "input__0", "output__0", "treeshap_output"
LOST = "NVIDIA's backend reads or writes beyond its memory, which ends the whole server"


class TritonPythonModel:
    """One instance of one forest; Triton calls the methods by these names."""

    @staticmethod
    def auto_complete_config(auto_complete_model_config: Any) -> Any:
        """Return the config as it is: the native backend completes nothing."""
        return auto_complete_model_config

    def initialize(self, args: dict[str, str]) -> None:
        """Open the model; a config that it does not fit fails the load."""
        config = json.loads(args["model_config"])
        folder = Path(args["model_repository"]) / args["model_version"]
        values = {
            name: value.get("string_value", "")
            for name, value in config.get("parameters", {}).items()
        }
        if LIBRARY.release in BROKEN_RELEASES:
            # the core's words, of an image whose backend lacks a library
            reason = BROKEN_RELEASES[LIBRARY.release]
            raise pb_utils.TritonModelException(f"unable to load shared library: {reason}")
        try:
            self.parameters = read_parameters(values, LIBRARY.release)
            name = config.get("default_model_filename", "")
            file = model_file(folder, name, self.parameters.model_type)
            self.forest = open_forest(file, self.parameters, LIBRARY.release)
            self.shapes = {t["name"]: scores.output_shape(t) for t in config["output"]}
            _check_features(config, self.forest)
            _check_output(self.shapes, self.forest, self.parameters)
            self.shap = self._treeshap()
        except ValueError as error:
            raise pb_utils.TritonModelException(str(error)) from None
        self.batches = config["max_batch_size"] > 0
        pb_utils.Logger.log_info(LIBRARY.description)

    def _treeshap(self) -> TreeShap | None:
        if SHAP not in self.shapes:
            return None
        size = self.forest.classes * (self.forest.features + 1)
        if scores.width_of(self.shapes[SHAP]) not in (size, None):
            raise ValueError(
                f"{SHAP} has {scores.width_of(self.shapes[SHAP])} numbers a row, and"
                f" {self.forest.classes} × ({self.forest.features} + 1) are written: {LOST}"
            )
        several = LIBRARY.release >= VECTOR_BASE_SCORES_SINCE
        return TreeShap(self.forest, several_base_scores=several)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer ``requests`` by one run; if it fails, all of them fail."""
        if self.batches:
            return self._answer(requests)
        return [response for request in requests for response in self._answer([request])]

    def _answer(self, requests: list[Any]) -> list[Any]:
        try:
            parts = [_input(request) for request in requests]
            outputs = self._run(np.concatenate(parts))
        except ValueError as error:
            failure = pb_utils.TritonError(str(error))
            return [pb_utils.InferenceResponse(error=failure) for _ in requests]
        sizes = [len(part) for part in parts] if self.batches else None
        split = {name: splitting.split(name, o, None, sizes) for name, o in outputs.items()}
        return [
            pb_utils.InferenceResponse([pb_utils.Tensor(n, p[index]) for n, p in split.items()])
            for index in range(len(requests))
        ]

    def _run(self, rows: Any) -> dict[str, Any]:
        if rows.size != len(rows) * self.forest.features:
            raise ValueError(
                f"rows of {rows.size // max(1, len(rows))} numbers, and the model has"
                f" {self.forest.features} features: {LOST}"
            )
        rows = rows.reshape(len(rows), -1)
        shape = self._shape(OUTPUT, len(rows))
        width = scores.width_of(shape) or 1
        result = scores.score(self.forest, self.parameters, LIBRARY.release, rows, width)
        outputs = {OUTPUT: result.reshape(shape)}
        if self.shap is not None:
            outputs[SHAP] = self.shap.values(rows).reshape(self._shape(SHAP, len(rows)))
        return outputs

    def _shape(self, name: str, rows: int) -> list[int]:
        if name not in self.shapes:
            raise ValueError(f"No output with name {name} in configuration.")
        shape = [rows, *self.shapes[name][1:]]
        if min(shape) < 0:
            raise ValueError(
                "Backends with variable-shape outputs must request desired output shape"
            )
        return shape


def _input(request: Any) -> Any:
    for tensor in request.inputs():
        if tensor.name() == INPUT:
            array = tensor.as_numpy()
            if array.dtype != np.float32:
                raise ValueError(
                    f"incorrect type {datatype_of(array)} for input with required type FP32"
                )
            return array
    raise ValueError(f"unknown request input name {INPUT}")


def _check_features(config: dict[str, Any], forest: Forest) -> None:
    """Refuse an input whose rows are not the model's; the native backend never compares them."""
    for tensor in config["input"]:
        dims = [int(size) for size in tensor.get("reshape", {}).get("shape", tensor["dims"])]
        row = dims if config["max_batch_size"] > 0 else dims[1:]
        if tensor["name"] == INPUT and -1 not in row and np.prod(row, dtype=int) != forest.features:
            raise ValueError(
                f"{INPUT} has {np.prod(row, dtype=int)} numbers a row, and the model has"
                f" {forest.features} features: {LOST}"
            )


def _check_output(shapes: dict[str, list[int]], forest: Forest, parameters: Parameters) -> None:
    if OUTPUT not in shapes:
        return  # every request fails
    width, possible = scores.width_of(shapes[OUTPUT]), scores.needed(
        forest, parameters, LIBRARY.release
    )
    if width is not None and width not in possible:
        numbers = " or ".join(map(str, possible))
        raise ValueError(f"{OUTPUT} has {width} numbers a row, and {numbers} are written: {LOST}")
