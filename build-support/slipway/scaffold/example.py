"""An example: inputs that the graph accepts, made of a fixed seed, and what it answers."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from slipway.scaffold.graph import Graph, OnnxTensor
from slipway.triton.datatypes import numpy_type

type Array = np.ndarray[Any, Any]

SEED = 7
# for free sizes: images want more than text, and what is refused costs little
SIZES = (3, 2, 4, 1, 8, 16, 32, 64, 128, 224, 256, 512)
STEPS = 64  # floats are multiples of 1/64: few digits in JSON, and exact in every type
LARGEST_INTEGER = 3  # indices have to be small, sizes and divisors greater than nothing
PATIENCE_S = 30.0
WORDS = ("red", "Grün", "two words", "", "日本")


@dataclass(frozen=True)
class Example:
    """``outputs`` is what the graph answered to ``inputs``, by the graph's names.

    ``repeats`` says whether it answers the same when it is asked again.
    """

    inputs: dict[str, Array]
    outputs: dict[str, Array]
    repeats: bool


def find(graph: Graph, *, batch: int | None = None) -> Example | None:
    """The first example that the graph answers, or ``None``.

    With ``batch`` every input's first dimension has that size.
    """
    for size in SIZES if _free(graph, batch) else SIZES[:1]:
        for inputs in _candidates(graph, size, batch):
            if not _answers(graph, inputs):
                continue
            outputs = graph.run(inputs)
            if all(_fits(tensor, outputs[tensor.name]) for tensor in graph.outputs):
                return Example(inputs, outputs, _equal(outputs, graph.run(inputs)))
    return None


def _fits(tensor: OnnxTensor, array: Array) -> bool:
    """Whether an answer has the shape that the graph promises: Triton's ensembles insist on it."""
    shape = np.shape(array)
    return tensor.shape is None or (
        len(shape) == len(tensor.shape)
        and all(
            not isinstance(dim, int) or dim == size
            for dim, size in zip(tensor.shape, shape, strict=True)
        )
    )


def _answers(graph: Graph, inputs: dict[str, Array]) -> bool:
    """Whether the graph answers, tried in a fork.

    An operator may end its process (integers divided by zero do), or never come to an end.
    """
    fork = multiprocessing.get_context("fork")
    trial = fork.Process(target=_try, args=(graph, inputs), daemon=True)
    trial.start()
    trial.join(PATIENCE_S)
    if trial.is_alive():
        trial.kill()
        trial.join()
    return trial.exitcode == 0


def _try(graph: Graph, inputs: dict[str, Array]) -> None:
    faulthandler.disable()  # a crash is an answer, too
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        graph.run(inputs)
    except Exception:  # ONNX Runtime's exceptions have no common public root
        os._exit(1)
    os._exit(0)


def shape_of(tensor: OnnxTensor, size: int, batch: int | None) -> tuple[int, ...]:
    """The tensor's shape with ``size`` wherever it is free."""
    assert tensor.shape is not None  # such inputs are refused
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
    filling: Any = str(value) if datatype == "BYTES" else value
    return np.full(shape, filling, dtype=numpy_type(datatype))


def _equal(first: dict[str, Array], second: dict[str, Array]) -> bool:
    return all(close(value, second[name]) for name, value in first.items())


def close(first: Array, second: Array) -> bool:
    """Whether two answers agree, but for what another order of additions changes."""
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape:
        return False
    if first.dtype.kind != "f":
        return bool(np.array_equal(first, second))
    return bool(np.allclose(first, second, rtol=1e-3, atol=1e-4, equal_nan=True))
