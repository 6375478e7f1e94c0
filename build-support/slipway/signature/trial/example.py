"""Find inputs that a graph accepts, generated from a fixed seed, and the outputs for them."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from slipway.signature.trial.graph import Graph, OnnxTensor
from slipway.triton.datatypes import numpy_type

type Array = np.ndarray[Any, Any]

SEED = 7
# tried for free dimensions: images need larger sizes than text, and a rejected size costs little
SIZES = (3, 2, 4, 1, 8, 16, 32, 64, 128, 224, 256, 512)
STEPS = 64  # floats are multiples of 1/64: few digits in JSON, exact in every float type
LARGEST_INTEGER = 3  # indices must be small, sizes and divisors positive
TIMEOUT_S = 30.0
WORDS = ("red", "Grün", "two words", "", "日本")


@dataclass(frozen=True)
class Example:
    """Inputs that the graph accepts, and its ``outputs`` for them, by the graph's names.

    ``repeats`` is true if a second run gave the same outputs.
    """

    inputs: dict[str, Array]
    outputs: dict[str, Array]
    repeats: bool


def find_example(graph: Graph, *, batch: int | None = None) -> Example | None:
    """Return the first example that the graph accepts, or ``None``.

    With ``batch``, every input's first dimension has that size.
    """
    for size in SIZES if _free(graph, batch) else SIZES[:1]:
        for inputs in _candidates(graph, size, batch):
            if not accepts(graph, inputs):
                continue
            outputs = graph.run(inputs)
            if all(_fits(tensor, outputs[tensor.name]) for tensor in graph.outputs):
                return Example(inputs, outputs, _equal(outputs, graph.run(inputs)))
    return None


def _fits(tensor: OnnxTensor, array: Array) -> bool:
    """Return whether an output has the shape the graph declares, as Triton's ensembles require."""
    shape = np.shape(array)
    return tensor.shape is None or (
        len(shape) == len(tensor.shape)
        and all(
            not isinstance(dim, int) or dim == size
            for dim, size in zip(tensor.shape, shape, strict=True)
        )
    )


def accepts(graph: Graph, inputs: dict[str, Array]) -> bool:
    """Return whether the graph runs with ``inputs``, tried in a forked process.

    An operator can end its process (an integer division by zero does), or never return.
    """
    fork = multiprocessing.get_context("fork")
    trial = fork.Process(target=_try, args=(graph, inputs), daemon=True)
    trial.start()
    trial.join(TIMEOUT_S)
    if trial.is_alive():
        trial.kill()
        trial.join()
    return trial.exitcode == 0


def _try(graph: Graph, inputs: dict[str, Array]) -> None:
    faulthandler.disable()  # a crash is an expected result here
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        graph.run(inputs)
    except Exception:  # ONNX Runtime's exceptions have no common public root
        os._exit(1)
    os._exit(0)


def shape_of(tensor: OnnxTensor, size: int, batch: int | None) -> tuple[int, ...]:
    """Return the tensor's shape, with ``size`` for each free dimension."""
    assert tensor.shape is not None  # graph.py rejects inputs of unknown rank
    shape = [dim if isinstance(dim, int) else size for dim in tensor.shape]
    if batch is not None:
        shape[0] = batch
    return tuple(shape)


def _free(graph: Graph, batch: int | None) -> bool:
    skipped = 0 if batch is None else 1
    return any(not isinstance(dim, int) for t in graph.inputs for dim in (t.shape or ())[skipped:])


def _candidates(graph: Graph, size: int, batch: int | None) -> Iterator[dict[str, Array]]:
    shapes = {tensor.name: shape_of(tensor, size, batch) for tensor in graph.inputs}
    random = np.random.default_rng(SEED)
    yield {t.name: _random(random, shapes[t.name], t.datatype) for t in graph.inputs}
    for value in (1, 0):
        yield {t.name: _filled(value, shapes[t.name], t.datatype) for t in graph.inputs}


def _random(random: np.random.Generator, shape: tuple[int, ...], datatype: str) -> Array:
    if datatype == "BYTES":
        return np.array(random.choice(WORDS, shape), dtype=object)
    kind = np.dtype(numpy_type(datatype))
    if kind.kind == "f":
        return np.asarray(random.integers(0, STEPS, shape) / STEPS, dtype=kind)
    low, high = (0, 1) if kind.kind == "b" else (1, LARGEST_INTEGER)
    return np.asarray(random.integers(low, high, shape, endpoint=True), dtype=kind)


def _filled(value: int, shape: tuple[int, ...], datatype: str) -> Array:
    element: Any = str(value) if datatype == "BYTES" else value
    return np.full(shape, element, dtype=numpy_type(datatype))


def _equal(first: dict[str, Array], second: dict[str, Array]) -> bool:
    return all(nearly_equal(value, second[name]) for name, value in first.items())


def nearly_equal(first: Array, second: Array) -> bool:
    """Return whether two outputs agree, up to what a different order of additions changes."""
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape:
        return False
    if first.dtype.kind != "f":
        return bool(np.array_equal(first, second))
    return bool(np.allclose(first, second, rtol=1e-3, atol=1e-4, equal_nan=True))
