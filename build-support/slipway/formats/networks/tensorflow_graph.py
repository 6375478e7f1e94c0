"""A function of TensorFlow as a graph of ONNX, by tf2onnx, with the names of its signature."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from onnx import ModelProto

PYTHON = ("PyFunc", "EagerPyFunc", "PyFuncStateless")
OPSET = 17  # tf2onnx 1.17 knows 18 at most; every release since 23.01 takes this one


def quiet() -> None:
    """Silence TensorFlow's start, and keep it off the GPU. Before its first import."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    # oneDNN orders sums by the number of threads: answers would differ between machines
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)


def to_onnx(function: Any, owner: Any, inputs: Sequence[str], outputs: Sequence[str]) -> ModelProto:
    """Return the graph of a concrete function, with its own names for inputs and outputs.

    ``owner`` is the object that holds its variables and tables. tf2onnx's own ``from_function``
    makes inputs of constants that a function captures (Keras's Normalization), and lowers the
    case of names: here both are given.

    Raises:
        SlipwayError: the graph has a table that ONNX cannot hold.
    """
    import tensorflow as tf
    from tf2onnx import optimizer, tf_loader
    from tf2onnx.tfonnx import process_tf_graph

    captured = {id(placeholder) for _, placeholder in function.graph.captures}
    places = [t.name for t in function.inputs if id(t) not in captured]
    results = [t.name for t in function.outputs if t.dtype != tf.resource]
    names = dict(zip(places, inputs, strict=True)) | dict(zip(results, outputs, strict=True))
    with tf.device("/cpu:0"):
        frozen, tables = tf_loader.from_trackable(owner, function, places, results, False)
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(frozen, name="")
        _check_types(graph)
        converted = process_tf_graph(
            graph,
            continue_on_error=True,
            opset=OPSET,
            input_names=places,
            output_names=results,
            tensors_to_rename=names,
            initialized_tables=tables,
        )
    model: ModelProto = optimizer.optimize_graph(converted, True).make_model("model")
    _check_tables(model)
    shapes = {t.name: t.shape for t in (*function.inputs, *function.outputs)}
    _declare(model, {names[place]: shapes[place] for place in names})
    return model


def versions() -> dict[str, str]:
    """Return the versions of the programs that took part."""
    from importlib.metadata import version

    names = ("tensorflow-cpu", "keras", "tf2onnx", "onnx", "numpy")
    return {name: version(name) for name in names}


def tensor(array: Any) -> Any:
    """Return an array as a tensor of TensorFlow; texts may be of any of numpy's types."""
    import tensorflow as tf

    return tf.constant(array.astype(object) if array.dtype.kind in "SUO" else array)


def exported(folder: Path) -> bool:
    """Return whether a folder holds a SavedModel."""
    return (folder / "saved_model.pb").is_file()


def _declare(model: ModelProto, shapes: Mapping[str, Any]) -> None:
    """Declare the shapes that TensorFlow knows: tf2onnx gives up behind a table of texts.

    Raises:
        SlipwayError: TensorFlow does not know the number of dimensions either.
    """
    from slipway.formats.graphs.shapes import declare

    for name, shape in shapes.items():
        if shape.rank is None:
            what = f"the signature does not say how many dimensions {name} has"
            raise SlipwayError(
                what, fix="give it a shape where the model is saved (input_signature)"
            )
        sizes = [f"{name}_{i}" if n is None else n for i, n in enumerate(shape.as_list())]
        declare(model, name, sizes)


def _check_types(graph: Any) -> None:
    import tensorflow as tf

    for operation in graph.get_operations():
        if operation.type in PYTHON:
            what = f"{operation.name} calls Python code, which is not in the saved model"
            raise SlipwayError(
                what, fix="write it with operations of TensorFlow, and save it again"
            )
        if any(output.dtype == tf.bfloat16 for output in operation.outputs):
            # tf2onnx 1.17 declares float16 for it: the graph is invalid
            what = f"{operation.name} computes in bfloat16, which ONNX on CPUs cannot"
            fix = "save the model with float32: keras.config.set_dtype_policy('float32')"
            raise SlipwayError(what, fix=fix)


def _check_tables(model: ModelProto) -> None:
    names = {node.op_type for node in model.graph.node}
    tables = sorted(name for name in names if "Lookup" in name or "HashTable" in name)
    if tables:
        what = f"a table of texts stays in the graph ({', '.join(tables)}): ONNX has no such table"
        fix = (
            "look texts up in preprocessing and save the model without this layer; a Python model "
            "with tensorflow-cpu (1.3 GB of environment) serves it as it is"
        )
        raise SlipwayError(what, fix=fix)
