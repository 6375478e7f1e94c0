"""Name and shape a graph's inputs and outputs as Triton and clients need them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from slipway.formats.format import Tensor
from slipway.formats.sklearn.columns import WIDE
from slipway.formats.sklearn.results import Result

ONE_A_ROW = "one_value_a_row"
LAST = "last_column"


def name_outputs(graph: Any, kinds: tuple[Result, ...]) -> tuple[Tensor, ...]:
    """Give the outputs their names; those of one value a row get the dimension that Triton asks."""
    from onnx import TensorProto, helper, numpy_helper

    types = {"BYTES": TensorProto.STRING, "INT64": TensorProto.INT64, "FP32": TensorProto.FLOAT}
    constants = {ONE_A_ROW: [-1, 1], LAST: [-1]}
    sources = [output.name for output in graph.graph.output]
    names = {kind.name for kind in kinds}
    inside = _free_names(graph, names)
    del graph.graph.output[:]
    for source, kind in zip(sources, kinds, strict=False):
        source = inside.get(source, source)
        if kind.method == "decision_function" and kind.width == 1 and "label" in names:
            # of two classes, some converters give both classes' scores: scikit-learn's is the last
            node = helper.make_node("Gather", [source, LAST], [kind.name], axis=1)
        elif kind.width == 1:
            node = helper.make_node("Reshape", [source, ONE_A_ROW], [kind.name])
        else:
            node = helper.make_node("Identity", [source], [kind.name])
        node.name = f"{kind.name}_as_served"
        graph.graph.node.append(node)
        width = kind.width if kind.width > 0 else f"{kind.name}_width"
        graph.graph.output.append(
            helper.make_tensor_value_info(kind.name, types[kind.datatype], ["batch", width])
        )
    read = {name for node in graph.graph.node for name in node.input}
    for name in sorted(read & set(constants)):
        values = np.array(constants[name], dtype=np.int64)
        graph.graph.initializer.append(numpy_helper.from_array(values, name))
    return tuple(kind.tensor for kind in kinds[: len(sources)])


def join_columns(graph: Any, names: list[str]) -> None:
    """Put an input a column in the place of the one wide input."""
    from onnx import helper

    (wide,) = graph.graph.input
    datatype = wide.type.tensor_type.elem_type
    inside = _free_names(graph, {*names, WIDE})
    joined = f"{WIDE}_joined"
    _rename(graph, inside.get(wide.name, wide.name), joined)
    node = helper.make_node("Concat", names, [joined], name=joined, axis=1)
    graph.graph.node.insert(0, node)
    del graph.graph.input[:]
    graph.graph.input.extend(
        helper.make_tensor_value_info(name, datatype, ["batch", 1]) for name in names
    )


def name_inputs(graph: Any, names: Iterable[str]) -> None:
    """Give the inputs the columns' own names, which the converter makes identifiers of."""
    for entry, name in zip(graph.graph.input, names, strict=True):
        if entry.name != name:
            _free_names(graph, {name})
            _rename(graph, entry.name, name)
            entry.name = name
        entry.type.tensor_type.shape.dim[0].dim_param = "batch"


def drop_unused_inputs(graph: Any) -> None:
    """Remove inputs that no node reads: Triton would ask clients for them."""
    read = {name for node in graph.graph.node for name in node.input}
    used = [entry for entry in graph.graph.input if entry.name in read]
    del graph.graph.input[:]
    graph.graph.input.extend(used)


def _free_names(graph: Any, names: set[str]) -> dict[str, str]:
    """Rename what has one of ``names`` inside the graph; return new names by old ones."""
    held = {name for node in graph.graph.node for name in node.output}
    held |= {entry.name for entry in graph.graph.initializer}
    renamed = {name: f"{name}_inside" for name in sorted(names & held)}
    for old, new in renamed.items():
        _rename(graph, old, new)
    return renamed


def _rename(graph: Any, old: str, new: str) -> None:
    for node in graph.graph.node:
        for names in (node.input, node.output):
            names[:] = [new if name == old else name for name in names]
    for entry in graph.graph.initializer:
        if entry.name == old:
            entry.name = new
