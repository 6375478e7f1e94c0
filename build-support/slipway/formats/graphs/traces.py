"""Remove what an exporter notes of its own run: paths and lines of code, which differ each time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import ModelProto


def drop_traces(model: ModelProto) -> None:
    """Remove metadata and documentation of every node and value, so that equal inputs give equal
    bytes; torch.onnx writes the stack that each node came from.
    """
    del model.metadata_props[:]
    _drop_graph(model.graph)
    for function in model.functions:
        function.doc_string = ""
        del function.metadata_props[:]
        _drop([*function.node, *function.value_info])


def _drop_graph(graph: Any) -> None:
    graph.doc_string = ""
    del graph.metadata_props[:]
    _drop([*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer])


def _drop(parts: Iterable[Any]) -> None:
    for part in parts:
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
        for attribute in getattr(part, "attribute", ()):
            if attribute.HasField("g"):
                _drop_graph(attribute.g)
            for graph in attribute.graphs:
                _drop_graph(graph)
