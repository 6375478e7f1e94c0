"""The ONNX graphs of the fixtures: each is the good one with one mistake.

They are files of the fixtures. ``python -m tests.check.fixture_graphs`` writes them again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

type Sizes = list[int | str | None] | None

FILE = "models/sound/sound_inferencer/1/model.onnx"
WEIGHTS = [[1.0, 0.5], [1.0, -0.5], [-1.0, 1.0], [0.5, 1.0]]
MATMUL = helper.make_node("MatMul", ["FEATURES", "weights"], ["SCORE"])


def value(name: str, shape: Sizes, data_type: int = TensorProto.FLOAT) -> Any:
    """Return an input or output."""
    return helper.make_tensor_value_info(name, data_type, shape)


FEATURES, SCORE = value("FEATURES", ["N", 4]), value("SCORE", ["N", 2])


def graph(
    inputs: list[Any] | None = None,
    outputs: list[Any] | None = None,
    nodes: list[Any] | None = None,
    *,
    opset: int = 17,
    ir_version: int = 8,
    weights: Any = None,
    domain: str | None = None,
) -> ModelProto:
    """Return a graph that multiplies FEATURES, four numbers per row, by a matrix: SCORE."""
    if weights is None:
        weights = numpy_helper.from_array(np.array(WEIGHTS, dtype=np.float32), "weights")
    proto = helper.make_graph(
        nodes or [MATMUL], "sound", inputs or [FEATURES], outputs or [SCORE], [weights]
    )
    opsets = [helper.make_opsetid("", opset)]
    opsets += [helper.make_opsetid(domain, 1)] if domain else []
    return helper.make_model(proto, opset_imports=opsets, ir_version=ir_version)


def external(location: str) -> TensorProto:
    """Return the matrix with its content in another file."""
    tensor = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[4, 2])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


def renamed_input() -> ModelProto:
    """Return a graph with FEATURE instead of FEATURES."""
    node = helper.make_node("MatMul", ["FEATURE", "weights"], ["SCORE"])
    return graph([value("FEATURE", ["N", 4])], nodes=[node])


def second_input() -> ModelProto:
    """Return a graph with a bias that is never fed."""
    nodes = [
        helper.make_node("MatMul", ["FEATURES", "weights"], ["product"]),
        helper.make_node("Add", ["product", "BIAS"], ["SCORE"]),
    ]
    return graph([FEATURES, value("BIAS", [2])], nodes=nodes)


def renamed_output() -> ModelProto:
    """Return a graph with SCORES instead of SCORE."""
    node = helper.make_node("MatMul", ["FEATURES", "weights"], ["SCORES"])
    return graph(outputs=[value("SCORES", ["N", 2])], nodes=[node])


def cast_output() -> ModelProto:
    """Return a graph with SCORE in double precision."""
    nodes = [
        helper.make_node("MatMul", ["FEATURES", "weights"], ["product"]),
        helper.make_node("Cast", ["product"], ["SCORE"], to=TensorProto.DOUBLE),
    ]
    return graph(outputs=[value("SCORE", ["N", 2], TensorProto.DOUBLE)], nodes=nodes)


def five_features() -> ModelProto:
    """Return a graph with FEATURES of five numbers."""
    array = np.ones((5, 2), dtype=np.float32)
    weights = numpy_helper.from_array(array, "weights")
    return graph([value("FEATURES", ["N", 5])], weights=weights)


def flat_output() -> ModelProto:
    """Return a graph with a SCORE that has only the batch dimension."""
    nodes = [
        helper.make_node("MatMul", ["FEATURES", "weights"], ["product"]),
        helper.make_node("ReduceMax", ["product"], ["SCORE"], axes=[1], keepdims=0),
    ]
    return graph(outputs=[value("SCORE", ["N"])], nodes=nodes)


def one_row() -> ModelProto:
    """Return a graph that accepts exactly one row."""
    return graph([value("FEATURES", [1, 4])], [value("SCORE", [1, 2])])


def open_output() -> ModelProto:
    """Return a graph that selects columns, whose number is unknown beforehand."""
    zero = numpy_helper.from_array(np.array(-1e9, dtype=np.float32))
    nodes = [
        helper.make_node("MatMul", ["FEATURES", "weights"], ["product"]),
        helper.make_node("ReduceMax", ["product"], ["most"], axes=[0], keepdims=0),
        helper.make_node("Constant", [], ["least"], value=zero),
        helper.make_node("Greater", ["most", "least"], ["passed"]),
        helper.make_node("Compress", ["product", "passed"], ["SCORE"], axis=1),
    ]
    return graph(outputs=[value("SCORE", ["N", "M"])], nodes=nodes)


def sequence_output() -> ModelProto:
    """Return a graph with a second output, which is a sequence."""
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT, ["N", 2])
    rows = helper.make_value_info("ROWS", helper.make_sequence_type_proto(tensor))
    node = helper.make_node("SequenceConstruct", ["SCORE"], ["ROWS"])
    return graph(outputs=[SCORE, rows], nodes=[MATMUL, node])


def foreign_operator() -> ModelProto:
    """Return a graph with an operator from a library of a third party."""
    nodes = [
        helper.make_node("MatMul", ["FEATURES", "weights"], ["product"]),
        helper.make_node("Sharpen", ["product"], ["SCORE"], domain="com.elsewhere"),
    ]
    return graph(nodes=nodes, domain="com.elsewhere")


def scalar_output() -> ModelProto:
    """Return a graph with a second output, one number for all rows."""
    mean = helper.make_node("ReduceMean", ["SCORE"], ["MEAN"], keepdims=0)
    return graph(outputs=[SCORE, value("MEAN", [])], nodes=[MATMUL, mean])


def output_of_more_rows() -> ModelProto:
    """Return a graph with a second output, which has a row for each number of the first."""
    shape = numpy_helper.from_array(np.array([-1, 1], dtype=np.int64))
    nodes = [
        MATMUL,
        helper.make_node("Constant", [], ["shape"], value=shape),
        helper.make_node("Reshape", ["SCORE", "shape"], ["EACH"]),
    ]
    return graph(outputs=[SCORE, value("EACH", ["M", 1])], nodes=nodes)


def scalar_text_output() -> ModelProto:
    """Return a graph with a second output, one string without dimensions."""
    text = helper.make_tensor("text", TensorProto.STRING, [], [b"good"])
    label = helper.make_node("Constant", [], ["LABEL"], value=text)
    outputs = [SCORE, value("LABEL", [], TensorProto.STRING)]
    return graph(outputs=outputs, nodes=[MATMUL, label])


def lowered_text() -> ModelProto:
    """Return a graph with a second output, the numbers as text, lowered in a locale of Linux."""
    flat = helper.make_tensor("flat", TensorProto.INT64, [1], [-1])
    rows = helper.make_tensor("rows", TensorProto.INT64, [2], [-1, 4])
    nodes = [
        MATMUL,
        helper.make_node("Constant", [], ["flat"], value=flat),
        helper.make_node("Constant", [], ["rows"], value=rows),
        helper.make_node("Reshape", ["FEATURES", "flat"], ["numbers"]),
        helper.make_node("Cast", ["numbers"], ["texts"], to=TensorProto.STRING),
        helper.make_node("StringNormalizer", ["texts"], ["lowered"], case_change_action="LOWER"),
        helper.make_node("Reshape", ["lowered", "rows"], ["TEXTS"]),
    ]
    return graph(outputs=[SCORE, value("TEXTS", ["N", 4], TensorProto.STRING)], nodes=nodes)


def one_row_inside() -> ModelProto:
    """Return a graph that declares any number of rows, and shapes its result as one."""
    numbers = {"zero": [0], "one_row": [1, 2]}
    nodes = [
        *(
            helper.make_node("Constant", [], [name], value_ints=values)
            for name, values in numbers.items()
        ),
        helper.make_node("MatMul", ["FEATURES", "weights"], ["product"]),
        # what depends on the number of rows hides the sizes from ONNX Runtime's own inference
        helper.make_node("Shape", ["FEATURES"], ["sizes"]),
        helper.make_node("Mul", ["sizes", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "one_row"], ["shape"]),
        helper.make_node("Reshape", ["product", "shape"], ["SCORE"]),
    ]
    return graph(nodes=nodes)


GRAPHS: dict[str, Callable[[], ModelProto]] = {
    "good": graph,
    "bad/SW306_input_is_named_otherwise_in_the_graph": renamed_input,
    "bad/SW307_graph_needs_a_second_input": second_input,
    "bad/SW308_output_is_named_otherwise_in_the_graph": renamed_output,
    "bad/SW309_graph_gives_doubles": cast_output,
    "bad/SW310_graph_takes_five_numbers": five_features,
    "bad/SW310_graph_gives_one_dimension_less": flat_output,
    "bad/SW311_graph_takes_one_row": one_row,
    "bad/SW312_graph_leaves_the_output_open": open_output,
    "bad/SW313_graph_gives_a_sequence": sequence_output,
    "bad/SW315_opset_of_next_year": lambda: graph(opset=23),
    "bad/SW315_ir_version_of_next_year": lambda: graph(ir_version=11),
    "bad/SW316_operator_of_another_library": foreign_operator,
    "bad/SW317_tensors_outside_of_the_folder": lambda: graph(weights=external("../weights.bin")),
    "bad/SW318_tensors_in_a_file_that_is_missing": lambda: graph(weights=external("weights.bin")),
    "bad/SW355_lowers_text_in_english": lowered_text,
    "bad/SW327_mean_of_all_rows": scalar_output,
    "bad/SW328_label_without_dimensions": scalar_text_output,
    "bad/SW331_a_row_for_each_number": output_of_more_rows,
    "bad/SW329_graph_reshapes_to_one_row": one_row_inside,
}


if __name__ == "__main__":
    for fixture, make in GRAPHS.items():
        path = Path(__file__).parent / "fixtures" / fixture / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make().SerializeToString())
