"""Order and name nodes by what they compute: tf2onnx numbers them in the order of a set."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto


def number_nodes(model: ModelProto) -> None:
    """Give equal graphs equal bytes: an order and names that depend on nothing else.

    Inputs and outputs keep their names. A graph with graphs in its nodes stays as it is: these
    name its tensors. What no node uses is left out.
    """
    graph = model.graph
    if any(a.HasField("g") or a.graphs for node in graph.node for a in node.attribute):
        return
    boundary = {value.name for value in (*graph.input, *graph.output)}
    constants = {constant.name: constant for constant in graph.initializer}
    nodes = list(_in_order(graph, boundary))
    names = {name: name for name in ("", *boundary)}
    used = dict.fromkeys(name for node in nodes for name in node.input if name in constants)
    used |= dict.fromkeys(sorted(boundary & constants.keys()))
    for number, name in enumerate(used):
        names.setdefault(name, f"constant_{number}")
    for number, node in enumerate(nodes):
        node.name = f"{node.op_type}_{number}"
        for place, name in enumerate(node.output):
            names.setdefault(name, f"{node.name}_{place}")
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    kept = [constants[name] for name in used]
    for constant in kept:
        constant.name = names[constant.name]
        constant.doc_string = ""
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)


def _in_order(graph: GraphProto, boundary: set[str]) -> Iterator[NodeProto]:
    """Yield copies of the nodes, each after those that it needs, ordered by their digests."""
    digests = {"": "", **{value.name: f"input {value.name}" for value in graph.input}}
    for constant in graph.initializer:
        digests.setdefault(constant.name, _constant(constant))
    waiting = dict(enumerate(graph.node))
    ready: list[tuple[str, int]] = []
    while waiting or ready:
        found = [n for n, node in waiting.items() if all(name in digests for name in node.input)]
        for number in found:
            digest = _digest(waiting.pop(number), digests, boundary)
            heapq.heappush(ready, (digest, number))
        if not ready:
            raise ValueError("the nodes of the graph need one another")
        digest, number = heapq.heappop(ready)
        node = graph.node[number]
        digests |= {name: f"{digest} {place}" for place, name in enumerate(node.output)}
        copied = type(node)()
        copied.CopyFrom(node)
        yield copied


def _constant(constant: TensorProto) -> str:
    copied = type(constant)()
    copied.CopyFrom(constant)
    copied.name = copied.doc_string = ""
    return hashlib.sha256(copied.SerializeToString(deterministic=True)).hexdigest()


def _digest(node: NodeProto, digests: dict[str, str], boundary: set[str]) -> str:
    attributes = sorted(a.SerializeToString(deterministic=True) for a in node.attribute)
    texts = [node.domain, node.op_type, *(digests[name] for name in node.input)]
    texts += [name if name in boundary else "" for name in node.output]
    parts = [*(text.encode() for text in texts), *attributes]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
