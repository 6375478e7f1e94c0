"""Rename inputs, outputs and the tensors between nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto


def rename(model: ModelProto, names: Mapping[str, str]) -> tuple[str, ...]:
    """Give tensors other names, also where subgraphs use them; names that are free of others.

    Raises:
        ValueError: another tensor of the graph has the new name.
    """
    taken = set(_tensors(model.graph)) - names.keys()
    clash = sorted(taken & set(names.values()))
    if clash:
        raise ValueError(f"the graph has another tensor called {clash[0]!r}")
    boundary = {value.name for value in (*model.graph.input, *model.graph.output)}
    _rename(model.graph, names)
    return tuple(f"{old} is called {new}" for old, new in names.items() if old in boundary)


def repair_names(model: ModelProto) -> tuple[str, ...]:
    """Rename inputs and outputs whose names are no identifiers: Keras writes ``Identity:0``.

    Clients make arguments and fields of them; Triton itself takes any name.
    """
    boundary = [value.name for value in (*model.graph.input, *model.graph.output)]
    taken = set(_tensors(model.graph))
    names = {}
    for name in boundary:
        new = re.sub(r"\W", "_", re.sub(r":0$", "", name), flags=re.ASCII)
        new = f"_{new}" if new[:1].isdigit() else new
        while new != name and new in taken:
            new += "_"
        if new != name:
            names[name] = new
            taken.add(new)
    return rename(model, names)


def _tensors(graph: GraphProto) -> Iterator[str]:
    yield from (value.name for value in (*graph.input, *graph.output, *graph.value_info))
    yield from (constant.name for constant in graph.initializer)
    for node in graph.node:
        yield from (*node.input, *node.output)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _tensors(attribute.g)
            for part in attribute.graphs:
                yield from _tensors(part)


def _rename(graph: GraphProto, names: Mapping[str, str]) -> None:
    for value in (*graph.input, *graph.output, *graph.value_info):
        value.name = names.get(value.name, value.name)
    for constant in graph.initializer:
        constant.name = names.get(constant.name, constant.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename(attribute.g, names)
            for part in attribute.graphs:
                _rename(part, names)
