"""Run a postprocessing once on symbols, and make a graph of what it did."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.fold.builder import Array, Builder, Operations, is_text
from slipway.fold.functions import apply_function
from slipway.fold.indexing import index
from slipway.fold.operators import apply_ufunc, convert
from slipway.fold.place import current_place
from slipway.fold.python_model import PythonModel
from slipway.fold.symbol import ROWS, Symbol
from slipway.triton.config import ModelConfig, dtype_name
from slipway.triton.datatypes import numpy_type

BYTES = "BYTES"
OPERATIONS = Operations(apply_ufunc, apply_function, index, convert)
SIZE = 3  # of a free dimension in the example


@dataclass(frozen=True)
class Traced:
    """What a postprocessing computes.

    ``outputs`` maps its outputs to names in the graph. ``passed`` are those that are inputs as they
    came, with the input's name. ``exact``: every number has the digits that numpy gives it.
    """

    builder: Builder
    inputs: tuple[str, ...]
    outputs: Mapping[str, str]
    passed: Mapping[str, str]
    exact: bool
    constants: tuple[Array, ...]


def trace(model: PythonModel) -> Traced:
    """Return the graph of a postprocessing.

    Raises:
        SlipwayError: something in it has no equal in a graph; names file and line.
    """
    builder = Builder(lambda: current_place(model.version), OPERATIONS)
    batches = model.config.max_batch_size > 0
    symbols = {
        tensor.name: Symbol(builder, example(tensor, batches), tensor.name, rows=batches)
        for tensor in model.config.input
    }
    with model.loaded() as instance:
        constants: list[Array] = []

        def wrap(value: Array) -> Symbol:
            constants.append(value)
            return Symbol(builder, value)

        model.wrap_tables(instance, wrap)
        answer = model.ask(instance, symbols)
        outputs = _outputs(model, answer, batches)
    passed = {name: value for name, value in outputs.items() if value in symbols}
    numbers = [_values(each) for each in builder.initialisers]
    return Traced(
        builder,
        tuple(symbols),
        outputs,
        passed,
        not builder.inexact,
        tuple(each for each in numbers if not is_text(each.dtype)),
    )


def example(tensor: Any, batches: bool) -> Array:
    """Return an array of the type and shape of a config's tensor, always the same."""
    shape = [ROWS] * batches + [SIZE if size < 0 else size for size in tensor.dims]
    seed = int.from_bytes(hashlib.sha256(tensor.name.encode()).digest()[:4], "big")
    return draw(dtype_name(tensor.data_type), tuple(shape), np.random.default_rng(seed))


def draw(datatype: str, shape: tuple[int, ...], random: np.random.Generator) -> Array:
    """Return random values of a type of Triton: probabilities, small integers, or words."""
    if datatype == BYTES:
        words = np.array([b"", b"x", "größe".encode(), b"two words"], dtype=object)
        return np.asarray(words[random.integers(0, len(words), shape)], dtype=object)
    kind = np.dtype(numpy_type(datatype))
    if kind.kind == "f":
        return np.asarray(random.random(shape), dtype=kind)
    if kind.kind == "b":
        return np.asarray(random.random(shape) < 0.5)
    return np.asarray(random.integers(0, 2, shape), dtype=kind)


def _values(initialiser: Any) -> Array:
    from onnx import numpy_helper

    return np.asarray(numpy_helper.to_array(initialiser))


def _outputs(model: PythonModel, answer: Mapping[str, Any], batches: bool) -> dict[str, str]:
    config: ModelConfig = model.config
    found: dict[str, str] = {}
    for tensor in config.output:
        value = answer.get(tensor.name)
        if value is None:
            raise _refusal(model, f"the answer has no tensor {tensor.name!r}", "answer it")
        if not isinstance(value, Symbol) or value.is_constant:
            raise _refusal(
                model,
                f"{tensor.name!r} does not depend on the inputs as operations of numpy",
                "compute it of the tensors: np.full_like, np.where",
            )
        datatype, shape = dtype_name(tensor.data_type), value.example.shape
        declared = [ROWS] * batches + [SIZE if size < 0 else size for size in tensor.dims]
        kind = value.dtype
        fits = is_text(kind) if datatype == BYTES else kind == np.dtype(numpy_type(datatype))
        ranks = len(shape) == len(declared)
        if not fits or not ranks or (-1 not in tensor.dims and [*shape] != declared):
            raise _refusal(
                model,
                f"{tensor.name!r} is {kind} of the shape {_text(shape, batches)}, where the config"
                f" has {datatype} {_text(declared, batches)}",
                "convert it with .astype() and reshape, or correct the config",
            )
        found[tensor.name] = value.in_graph()
    return found


def _text(shape: Any, batches: bool) -> str:
    sizes = ["rows" if batches and not n else str(size) for n, size in enumerate(shape)]
    return f"[{', '.join(sizes)}]"


def _refusal(model: PythonModel, what: str, fix: str) -> SlipwayError:
    return SlipwayError(f"cannot be folded: {what}", where=str(model.version / "model.py"), fix=fix)
