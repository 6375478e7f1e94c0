"""CatBoost's own ONNX, with what it gets wrong repaired.

Seen with CatBoost 1.2.10: it ends in a list of maps (ZipMap), names no opset of ONNX, takes softmax
of one-against-all classes, and leaves out the exponential of Poisson and Tweedie. Of several
targets it writes a classifier, whose answers are others: those are served in Python.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from slipway.formats.forests.catboost_file import CatBoostFile
from slipway.formats.format import Tensor
from slipway.formats.graphs.limits import lower
from slipway.formats.graphs.names import rename
from slipway.formats.graphs.shapes import make_column
from slipway.formats.graphs.zipmap import drop_zipmaps

if TYPE_CHECKING:
    from onnx import ModelProto

GRAPH = "model.onnx"
EXPONENT = ("Poisson", "Tweedie")
NAMES = {
    "features": "input",
    "probabilities": "probability",
    "predictions": "prediction",
}


def only_python(file: CatBoostFile) -> str | None:
    """Return why CatBoost's ONNX cannot express a model; ``None`` if it can."""
    if file.has_texts:
        return "its columns of categories or texts need CatBoost itself: its ONNX has none"
    if not file.is_symmetric:
        return "its trees are not symmetric (grow_policy), and CatBoost's ONNX is only of such"
    if file.answers == "multilabel" or (file.answers == "prediction" and file.dimension > 1):
        return f"CatBoost's ONNX of {file.loss} is a classifier, whose answers are others"
    if file.label_kind not in ("", "Integer", "String"):
        return f"CatBoost's ONNX has no labels of the type {file.label_kind}"
    return None


def outputs_of(file: CatBoostFile) -> tuple[Tensor, ...]:
    """Return what a model answers."""
    if file.answers == "prediction":
        return (Tensor("prediction", "FP32", (file.dimension,)),)
    several = file.answers == "multilabel"
    probabilities = max(file.dimension, 1 if several else 2)
    return (
        Tensor("label", label_type(file), (probabilities if several else 1,)),
        Tensor("probability", "FP32", (probabilities,)),
    )


def label_type(file: CatBoostFile) -> str:
    """Return the type of the labels; Booleans are texts, as CatBoost answers them."""
    return {"String": "BYTES", "Boolean": "BYTES", "Float": "FP32"}.get(file.label_kind, "INT64")


def export(model: Any, file: CatBoostFile, out: Path, triton: str) -> tuple[str, ...]:
    """Write ``model.onnx``; return what was repaired."""
    import onnx

    model.save_model(str(out / GRAPH), format="onnx")
    graph = onnx.load(str(out / GRAPH))
    repairs = drop_zipmaps(graph)
    present = {value.name for value in (*graph.graph.input, *graph.graph.output)}
    repairs += rename(graph, {old: new for old, new in NAMES.items() if old in present})
    repairs += _name_classes(graph, file)
    if file.loss == "MultiClassOneVsAll":
        repairs += _take_sigmoids(graph)
    if file.loss in EXPONENT:
        repairs += _add_exponential(graph)
    label = "prediction" if file.answers == "prediction" else "label"
    repairs += make_column(graph, label)
    repairs += lower(graph, triton)
    graph.ClearField("metadata_props")  # a time and a number of this run
    onnx.checker.check_model(graph)
    onnx.save(graph, str(out / GRAPH))
    return repairs


def _take_sigmoids(graph: ModelProto) -> tuple[str, ...]:
    """Take each class's own sigmoid, where CatBoost writes softmax of all of them."""
    for attribute in graph.graph.node[0].attribute:
        if attribute.name == "post_transform" and attribute.s == b"SOFTMAX":
            attribute.s = b"LOGISTIC"
            return ("probability is each class's own (one against all) instead of softmax",)
    return ()


def _name_classes(graph: ModelProto, file: CatBoostFile) -> tuple[str, ...]:
    """Look the label up: ONNX Runtime answers 0 or 1 of two classes, whatever they are called."""
    from onnx import TensorProto, helper

    labels = [int(label) for label in file.classes if not isinstance(label, str)]
    if labels == list(range(len(labels))):
        return ()
    for node in graph.graph.node:
        node.output[:] = ["unnamed" if name == "label" else name for name in node.output]
    values = helper.make_tensor("labels", TensorProto.INT64, [len(labels)], labels)
    graph.graph.node.extend(
        [
            helper.make_node("Constant", [], ["labels"], value=values),
            helper.make_node("ArgMax", ["probability"], ["best"], axis=1, keepdims=0),
            helper.make_node("Gather", ["labels", "best"], ["label"]),
        ]
    )
    return (f"label is one of {labels} instead of a number from 0 on",)


def _add_exponential(graph: ModelProto) -> tuple[str, ...]:
    from onnx import helper

    [node] = graph.graph.node
    node.output[0] = "sums"
    graph.graph.node.append(helper.make_node("Exp", ["sums"], ["prediction"]))
    return ("prediction is the exponential of the sums, as CatBoostRegressor answers",)
