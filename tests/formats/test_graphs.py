"""Repairs of ONNX graphs change what they name, and nothing else."""

from __future__ import annotations

import operator
from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from slipway.errors import SlipwayError
from slipway.formats.graphs import limits, names, shapes
from slipway.formats.graphs.forest import nearest

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "BRANCH_LT": operator.lt,
    "BRANCH_LEQ": operator.le,
    "BRANCH_GT": operator.gt,
    "BRANCH_GTE": operator.ge,
}


def graph(*nodes: onnx.NodeProto, output: onnx.ValueInfoProto, opset: int = 15) -> onnx.ModelProto:
    source = helper.make_tensor_value_info("x:0", TensorProto.FLOAT, [1, 2])
    made = helper.make_graph(list(nodes), "graph", [source], [output])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def answer(model: onnx.ModelProto, rows: list[list[float]]) -> list[object]:
    onnx.checker.check_model(model)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    values = np.array(rows, np.float32)
    found: list[object] = session.run(None, {session.get_inputs()[0].name: values})[0].tolist()
    return found


def largest() -> onnx.ModelProto:
    """Return a graph whose label, [rows], is the column of the largest number."""
    label = helper.make_tensor_value_info("label", TensorProto.INT64, [1])
    return graph(helper.make_node("ArgMax", ["x:0"], ["label"], axis=1, keepdims=0), output=label)


def test_a_label_becomes_a_column_of_any_number_of_rows() -> None:
    model = largest()
    assert names.repair_names(model) == ("x:0 is called x",)
    assert len(shapes.free_rows(model)) == 2
    assert shapes.make_column(model, "label") == ("label has the shape [rows, 1] instead of ['N']",)
    assert answer(model, [[1, 2], [4, 3], [5, 6]]) == [[1], [0], [1]]


def test_a_wrong_shape_is_declared_anew_and_a_right_one_stays() -> None:
    model = largest()
    assert shapes.declare(model, "label", ["N"]) == ("label is declared as ['N'] instead of [1]",)
    assert shapes.declare(model, "label", ["N"]) == ()


def test_a_name_that_is_taken_is_not_given_twice() -> None:
    with pytest.raises(ValueError, match="another tensor called 'label'"):
        names.rename(largest(), {"x:0": "label"})


def test_names_are_replaced_in_branches_too() -> None:
    inner = helper.make_graph(
        [helper.make_node("Neg", ["x:0"], ["other"])],
        "inner",
        [],
        [helper.make_tensor_value_info("other", TensorProto.FLOAT, ["A", "B"])],
    )
    flag = helper.make_tensor("flag", TensorProto.BOOL, [], [True])
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["A", "B"])
    model = graph(
        helper.make_node("Constant", [], ["flag"], value=flag),
        helper.make_node("If", ["flag"], ["y"], then_branch=inner, else_branch=inner),
        output=output,
    )
    names.repair_names(model)
    assert answer(model, [[1, 2]]) == [[-1, -2]]


def test_an_opset_is_lowered_where_its_operators_were_the_same() -> None:
    model = largest()
    model.opset_import[0].version = 24
    model.ir_version = 12
    assert limits.lower(model, "25.04") == (
        "opset 22 instead of 24, for Triton 25.04",
        "IR 10 instead of 12",
    )
    assert answer(model, [[1, 2]]) == [1]


def test_an_operator_that_the_release_lacks_is_refused() -> None:
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["A", "B"])
    model = graph(helper.make_node("Gelu", ["x:0"], ["y"]), output=output, opset=20)
    with pytest.raises(SlipwayError, match="cannot be lowered to opset 19"):
        limits.lower(model, "23.09")


@pytest.mark.parametrize("mode", COMPARISONS)
def test_each_float32_compares_with_a_rounded_threshold_as_with_the_exact_one(mode: str) -> None:
    random = np.random.default_rng(0)
    compare = COMPARISONS[mode]
    exact = random.normal(size=2_000) * 10.0 ** random.integers(-30, 30, 2_000)
    for threshold in exact:
        here = np.float32(threshold)
        around = (
            here,
            np.nextafter(here, np.float32(-np.inf)),
            np.nextafter(here, np.float32(np.inf)),
        )
        for value in around:
            assert compare(float(value), nearest(threshold, mode)) == compare(
                float(value), threshold
            )
