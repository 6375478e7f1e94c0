"""Equal models have equal bytes, whatever order and addresses their framework had that day."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from slipway.formats.graphs.canonical import number_nodes
from slipway.formats.sklearn.canonical import number_objects
from tests.scaffold.graphs import node, tensor


def archive(file: Path, addresses: tuple[int, int]) -> Path:
    """Write what skops writes of two objects: one array of its own file, one number."""
    first, second = addresses
    schema = {
        "content": {
            "weights": {"__id__": first, "file": f"{first}.npy"},
            "count": {"__id__": second, "content": str(second)},
            "again": {"__id__": first},
        }
    }
    with zipfile.ZipFile(file, "w") as written:
        written.writestr(f"{first}.npy", b"weights")
        written.writestr("schema.json", json.dumps(schema))
    return file


def test_objects_of_skops_are_numbered_instead_of_named_by_their_addresses(tmp_path: Path) -> None:
    files = [archive(tmp_path / name, ids) for name, ids in [("a", (7001, 42)), ("b", (81, 9))]]
    for file in files:
        number_objects(file)

    with zipfile.ZipFile(files[0]) as archive_of_first:
        assert archive_of_first.namelist() == ["0.npy", "schema.json"]
        schema = json.loads(archive_of_first.read("schema.json"))["content"]
    assert schema["weights"] == {"__id__": 0, "file": "0.npy"}
    assert schema["count"] == {"__id__": 1, "content": "42"}  # a value, not an address
    assert schema["again"] == {"__id__": 0}


def model(names: tuple[str, str, str], *, turned: bool) -> onnx.ModelProto:
    """Return relu(x * 2) + relu(x * 3), with other names and another order of nodes."""
    first, second, weight = names
    nodes = [
        [node("Mul", ["X", weight], [first]), node("Relu", [first], [f"{first}_r"])],
        [node("Mul", ["X", f"{weight}_2"], [second]), node("Relu", [second], [f"{second}_r"])],
    ]
    ordered = [n for branch in (reversed(nodes) if turned else nodes) for n in branch]
    end = node("Sub", [f"{first}_r", f"{second}_r"], ["Y"], name=first)
    weights = [(weight, [2.0, 1.0]), (f"{weight}_2", [3.0, 1.0]), ("unused", [0.0, 0.0])]
    graph = helper.make_graph(
        [*ordered, end],
        "graph",
        [tensor("X", ["N", 2])],
        [tensor("Y", ["N", 2])],
        [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in weights],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_graphs_that_compute_the_same_have_the_same_bytes() -> None:
    graphs = [model(("a", "b", "w"), turned=False), model(("t__7", "t__3", "c__9"), turned=True)]
    rows = np.array([[1, -1], [2, 5]], np.float32)
    answers = []
    for each in graphs:
        number_nodes(each)
        onnx.checker.check_model(each)
        session = onnxruntime.InferenceSession(each.SerializeToString())
        answers.append(session.run(None, {"X": rows})[0])

    assert graphs[0].SerializeToString() == graphs[1].SerializeToString()
    assert [value.name for value in graphs[0].graph.output] == ["Y"]
    assert len(graphs[0].graph.initializer) == 2
    expected = np.maximum(rows * [2, 1], 0) - np.maximum(rows * [3, 1], 0)
    assert np.array_equal(answers[0], expected) and np.array_equal(answers[1], expected)


def test_a_graph_with_graphs_in_it_stays_as_it_is() -> None:
    branch = helper.make_graph([node("Identity", ["X"], ["B"])], "b", [], [tensor("B", ["N", 2])])
    graph = helper.make_graph(
        [node("If", ["c"], ["Y"], then_branch=branch, else_branch=branch)],
        "graph",
        [tensor("X", ["N", 2]), tensor("c", [], onnx.TensorProto.BOOL)],
        [tensor("Y", ["N", 2])],
    )
    before = helper.make_model(graph)
    after = helper.make_model(graph)
    number_nodes(after)
    assert before.SerializeToString() == after.SerializeToString()
