"""From the sums of a forest's trees to what clients get: label, probability, prediction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from slipway.formats.format import Tensor
from slipway.formats.graphs.forest import SHIFT, average_factor, category_columns, forest_node

if TYPE_CHECKING:
    import treelite
    from onnx import ModelProto, NodeProto, TensorProto

BINARY, MULTICLASS = 0, 2  # TaskType of treelite; the others are scores
OPSET, ML_OPSET, IR = 15, 3, 8  # every Triton release since 23.01 takes them
LABEL, PROBABILITY, PREDICTION = "label", "probability", "prediction"


@dataclass(frozen=True)
class Task:
    """What a forest answers for a row.

    ``answers`` is binary, multilabel, multiclass, class or prediction. ``targets`` is the number of
    sums, ``post`` treelite's name of the function after them. ``quantiles``: XGBoost 3 sorts the
    predictions of several quantiles, so that they never cross.
    """

    answers: str
    targets: int
    post: str
    several: bool
    quantiles: bool = False

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """Return the outputs; a classifier's are its label and a probability of each class."""
        if self.answers == "prediction":
            return (Tensor(PREDICTION, "FP32", (self.targets,)),)
        labels = 1 if self.answers == "multiclass" else self.targets
        label = Tensor(LABEL, "INT64", (labels,))
        if self.answers == "class":
            return (label,)
        probabilities = 2 if self.answers == "binary" else self.targets
        return (label, Tensor(PROBABILITY, "FP32", (probabilities,)))


def task_of(model: treelite.Model, answers: str = "", quantiles: bool = False) -> Task:
    """Return what a model that treelite has read answers; ``answers`` if its file tells."""
    header = model.get_header_accessor()
    classes = [int(count) for count in header.get_field("num_class")]
    post = str(header.get_field("postprocessor"))
    kind = int(header.get_field("task_type")[0])
    several = len(classes) > 1
    if not answers:
        answers = "prediction"
        if kind == MULTICLASS and not several:
            answers = "multiclass"
        elif kind == BINARY and post in ("sigmoid", "hinge"):
            answers = "class" if post == "hinge" else "multilabel" if several else "binary"
    targets = len(classes) * max(classes)
    return Task(answers, targets, post, several, quantiles and several)


@dataclass
class _Graph:
    """Nodes and constants of the graph, in order."""

    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def add(self, operator: str, *inputs: str, to: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = to or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def cast(self, source: str, output: str) -> None:
        """Add the label as an integer of 64 bits."""
        from onnx import TensorProto, helper

        self.nodes.append(helper.make_node("Cast", [source], [output], to=TensorProto.INT64))

    def constant(self, values: object, kind: type = np.float32) -> str:
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name


def forest_graph(model: treelite.Model, task: Task, missing: float | None = None) -> ModelProto:
    """Return the graph: ``input`` [rows, features] FP32, outputs as ``task`` says.

    Inputs equal to ``missing`` are taken as missing, as NaN is.
    """
    from onnx import TensorProto, helper

    header = model.get_header_accessor()
    graph = _Graph()
    source = "input"
    if missing is not None:
        marked = graph.add("Equal", "input", graph.constant(missing))
        source = graph.add("Where", marked, graph.constant(np.nan), "input")
    columns = sorted(category_columns(model))
    if columns:
        shift = np.zeros((1, model.num_feature))
        shift[0, columns] = SHIFT
        source = graph.add("Add", source, graph.constant(shift))
    graph.nodes.append(forest_node(model, task.targets, source, "sums"))
    factor = average_factor(model).reshape(1, -1)
    sums = "sums" if (factor == 1).all() else graph.add("Div", "sums", graph.constant(factor))
    base = np.asarray(header.get_field("base_scores"), np.float64).reshape(1, -1)
    scores = graph.add("Add", sums, graph.constant(base))
    _add_answers(graph, header, task, scores)
    kinds = {"INT64": TensorProto.INT64, "FP32": TensorProto.FLOAT}
    value = helper.make_tensor_value_info
    inputs = [value("input", TensorProto.FLOAT, ["N", model.num_feature])]
    outputs = [value(o.name, kinds[o.datatype], ["N", *o.dims]) for o in task.outputs]
    made = helper.make_graph(graph.nodes, "forest", inputs, outputs, graph.constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    return helper.make_model(made, opset_imports=opsets, ir_version=IR, producer_name="slipway")


def _add_answers(
    graph: _Graph, header: treelite.model.HeaderAccessor, task: Task, scores: str
) -> None:
    if task.answers == "class":  # hinge: 1 on the positive side
        graph.cast(graph.add("Greater", scores, graph.constant(0)), LABEL)
        return
    after = _post(graph, header, task.post, scores)
    if task.answers == "prediction":
        if task.quantiles:
            count = graph.constant([task.targets], np.int64)
            graph.nodes.append(_ascending(after, count))
            return
        graph.add("Identity", after, to=PREDICTION)
    elif task.answers == "multiclass":
        graph.add("Identity", after, to=PROBABILITY)
        graph.add("ArgMax", after, to=LABEL, axis=1, keepdims=1)
    else:
        over = graph.add("Greater", after, graph.constant(0.5))
        graph.cast(over, LABEL)
        if task.answers == "multilabel":
            graph.add("Identity", after, to=PROBABILITY)
        else:
            other = graph.add("Sub", graph.constant(1), after)
            graph.add("Concat", other, after, to=PROBABILITY, axis=1)


def _ascending(scores: str, count: str) -> NodeProto:
    from onnx import helper

    return helper.make_node("TopK", [scores, count], [PREDICTION, "order"], axis=1, largest=0)


def _post(graph: _Graph, header: treelite.model.HeaderAccessor, post: str, scores: str) -> str:
    """Add treelite's function after the sums (``src/gtil/postprocessor.cc``)."""
    if post in ("sigmoid", "multiclass_ova"):
        alpha = float(header.get_field("sigmoid_alpha")[0])
        if alpha != 1:
            scores = graph.add("Mul", scores, graph.constant(alpha))
        return graph.add("Sigmoid", scores)
    if post == "softmax":
        return graph.add("Softmax", scores, axis=1)
    if post == "exponential":
        return graph.add("Exp", scores)
    if post == "logarithm_one_plus_exp":
        return graph.add("Softplus", scores)
    if post == "signed_square":
        return graph.add("Mul", scores, graph.add("Abs", scores))
    if post == "exponential_standard_ratio":
        ratio = float(header.get_field("ratio_c")[0])
        exponent = graph.add("Div", scores, graph.constant(-ratio))
        return graph.add("Pow", graph.constant(2), exponent)
    return scores  # identity, identity_multiclass, hinge
