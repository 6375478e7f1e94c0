"""What an exporter notes of its run is removed from a graph, in every part of it."""

from __future__ import annotations

from onnx import GraphProto, ModelProto, TensorProto, helper

from slipway.formats.graphs.traces import drop_traces


def graph(place: str, inner: GraphProto | None = None) -> GraphProto:
    """Return a graph whose parts name the place where they were made."""
    condition = helper.make_tensor_value_info("C", TensorProto.BOOL, [], doc_string=place)
    output = helper.make_tensor_value_info("Y", TensorProto.FLOAT, [1], doc_string=place)
    value = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    node = helper.make_node("Identity", ["one"], ["Y"])
    if inner is not None:
        node = helper.make_node("If", ["C"], ["Y"], then_branch=inner, else_branch=inner)
    for part in (node, value):
        part.doc_string = place
        part.metadata_props.add(key="pkg.torch.onnx.stack_trace", value=place)
    inputs = [condition] if inner is not None else []
    return helper.make_graph([node], "g", inputs, [output], [value], doc_string=place)


def model(place: str) -> ModelProto:
    """Return a model with a branch and a function, made at ``place``."""
    function = helper.make_function(
        "local",
        "Same",
        ["A"],
        ["B"],
        [helper.make_node("Identity", ["A"], ["B"], doc_string=place)],
        [helper.make_opsetid("", 17)],
    )
    function.doc_string = place
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    made = helper.make_model(
        graph(place, graph(place)), functions=[function], opset_imports=opsets, ir_version=8
    )
    made.metadata_props.add(key="made at", value=place)
    return made


def test_models_that_were_made_elsewhere_have_equal_bytes() -> None:
    here, there = model("/tmp/one/net.py, line 7"), model("/tmp/two/net.py, line 7")
    assert here.SerializeToString(deterministic=True) != there.SerializeToString(deterministic=True)
    for made in (here, there):
        drop_traces(made)
    assert here.SerializeToString(deterministic=True) == there.SerializeToString(deterministic=True)
    assert b"/tmp" not in here.SerializeToString()
