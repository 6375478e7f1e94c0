"""The traced postprocessing as a graph of its own, and its answers against the code's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from slipway.errors import SlipwayError
from slipway.fold.builder import OPSET, Array, is_text
from slipway.fold.python_model import PythonModel
from slipway.fold.trace import BYTES, Traced, draw
from slipway.triton.config import dtype_name
from slipway.triton.datatypes import numpy_type

IR_VERSION = 8
ROUNDS = 40
SIZES = (1, 2, 5)
RTOL, ATOL = 1e-5, 1e-6  # where numpy and ONNX Runtime add in another order
SEED = 11


def graph_of(model: PythonModel, traced: Traced) -> Any:
    """Return the postprocessing as an ONNX model."""
    from onnx import helper

    batches = model.config.max_batch_size > 0
    nodes = [
        *traced.builder.nodes,
        *(
            helper.make_node("Identity", [value], [f"answer/{name}"], name=f"answer/{name}")
            for name, value in traced.outputs.items()
        ),
    ]
    inputs = [value_info(tensor, tensor.name, batches) for tensor in model.config.input]
    outputs = [
        value_info(tensor, f"answer/{tensor.name}", batches) for tensor in model.config.output
    ]
    graph = helper.make_graph(nodes, "postprocessing", inputs, outputs, traced.builder.initialisers)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )


def value_info(tensor: Any, name: str, batches: bool, batch: str = "batch") -> Any:
    """Return a tensor of a config as an input or output of a graph."""
    from onnx import TensorProto, helper

    datatype = dtype_name(tensor.data_type)
    kind = (
        TensorProto.STRING
        if datatype == BYTES
        else helper.np_dtype_to_tensor_dtype(np.dtype(numpy_type(datatype)))
    )
    sizes: list[Any] = [None if size < 0 else int(size) for size in tensor.dims]
    return helper.make_tensor_value_info(name, kind, [batch] * batches + sizes)


def compare(model: PythonModel, traced: Traced) -> int:
    """Compare graph and code on drawn tensors, and rows alone with rows together.

    Among the numbers are those of the code, such as thresholds, and their neighbours. Returns how
    many requests were compared.

    Raises:
        SlipwayError: ONNX Runtime cannot run the graph, or answers otherwise.
    """
    session = open_session(graph_of(model, traced), model)
    compared = 0
    with model.loaded() as instance:
        for tensors in drawn(model, traced):
            expected = {name: np.asarray(v) for name, v in model.ask(instance, tensors).items()}
            expect(model, traced, expected, run(session, tensors, expected))
            compared += 1
            if model.config.max_batch_size > 0 and compared % 4 == 0:
                _rows_alone(model, traced, session, tensors, expected)
    return compared


def open_session(model: Any, python: PythonModel) -> Any:
    """Return a session of ONNX Runtime.

    Raises:
        SlipwayError: it refuses the graph.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        return ort.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime's exceptions have no common public root
        raise SlipwayError(
            f"cannot be folded: ONNX Runtime refuses the graph: {error}",
            where=str(python.version / "model.py"),
            fix="convert the tensor of that operation: .astype(np.float32)",
        ) from error


def run(session: Any, tensors: Mapping[str, Array], names: Any, prefix: str = "answer/") -> Any:
    """Return the outputs ``names`` of a session, strings as bytes."""
    if not names:
        return {}
    feed = {name: _texts(array) for name, array in tensors.items()}
    outputs = session.run([prefix + name for name in names], feed)
    return {name: _bytes(np.asarray(output)) for name, output in zip(names, outputs, strict=True)}


def _texts(array: Array) -> Array:
    """Return strings as ONNX Runtime's package takes them: it would write b'…' for bytes."""
    if array.dtype.kind not in "OS":
        return array
    made = np.empty(array.size, dtype=object)
    made[:] = [t.decode() if isinstance(t, bytes) else t for t in array.ravel().tolist()]
    return made.reshape(array.shape)


def _bytes(array: Array) -> Array:
    if array.dtype.kind not in "OU":
        return array
    texts = [text.encode() if isinstance(text, str) else text for text in array.ravel().tolist()]
    made = np.empty(len(texts), dtype=object)
    made[:] = texts
    return made.reshape(array.shape)


def drawn(model: PythonModel, traced: Traced) -> Iterator[dict[str, Array]]:
    """Yield requests: drawn numbers, those of the code and their neighbours, and words."""
    random = np.random.default_rng(SEED)
    batches = model.config.max_batch_size > 0
    marks = [value for each in traced.constants for value in each.ravel()[:50].tolist()]
    for number in range(ROUNDS):
        size = SIZES[number % len(SIZES)]
        tensors: dict[str, Array] = {}
        for tensor in model.config.input:
            rows = [min(size, model.config.max_batch_size)] * batches
            shape = (*rows, *(size if d < 0 else d for d in tensor.dims))
            array = draw(dtype_name(tensor.data_type), shape, random)
            tensors[tensor.name] = _marked(array, marks, number, random)
        yield tensors


def _marked(array: Array, marks: list[Any], number: int, random: np.random.Generator) -> Array:
    """Replace a part of the numbers: by those of the code, by wide ones, by equal ones."""
    if is_text(array.dtype) or array.dtype.kind == "b":
        return array
    kind = array.dtype
    if kind.kind == "f":
        if number % 3 == 1:
            array = np.asarray(random.normal(0, 4, array.shape), dtype=kind)
        if number % 5 == 2:
            array = np.round(array, 1)  # ties
        for mark in marks if number % 2 == 0 else []:
            near = kind.type(mark)
            if np.isfinite(near):
                below, above = (np.nextafter(near, kind.type(end)) for end in (-1e4, 1e4))
                chosen = random.choice([near, below, above])
                array = np.where(random.random(array.shape) < 0.2, chosen, array)
        return np.asarray(array, dtype=kind)
    return array


def expect(model: PythonModel, traced: Traced, expected: Any, answered: Any) -> None:
    """Compare two answers.

    Raises:
        SlipwayError: they differ; names the tensor.
    """
    for name, array in expected.items():
        other = answered[name]
        plain = array.astype(object) if is_text(array.dtype) else array
        same = plain.shape == other.shape and (
            np.array_equal(plain, other)
            if is_text(array.dtype)
            else plain.dtype == other.dtype and _close(plain, other, traced.exact)
        )
        if not same:
            raise SlipwayError(
                f"cannot be folded: the graph answers {name} {_short(other)}, the code"
                f" {_short(plain)}",
                where=str(model.version / "model.py"),
                fix="leave this model as it is, and report the operation as a bug of Slipway",
            )


def _close(first: Array, second: Array, exact: bool) -> bool:
    if exact or first.dtype.kind != "f":
        return bool(np.array_equal(first, second, equal_nan=first.dtype.kind == "f"))
    return bool(np.allclose(first, second, rtol=RTOL, atol=ATOL, equal_nan=True))


def _short(array: Array) -> str:
    return f"{array.dtype} {[*array.shape]} {array.ravel()[:4].tolist()}"


def _rows_alone(
    model: PythonModel, traced: Traced, session: Any, tensors: Any, expected: Mapping[str, Array]
) -> None:
    rows = len(next(iter(tensors.values())))
    for row in range(rows):
        one = {name: array[row : row + 1] for name, array in tensors.items()}
        answer = run(session, one, expected)
        expect(model, traced, {n: a[row : row + 1] for n, a in expected.items()}, answer)
