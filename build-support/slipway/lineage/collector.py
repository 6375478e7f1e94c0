"""Collect nodes and edges while a lineage is built."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from slipway.lineage.graph import Edge, Node, NodeKind


class Collector:
    """The nodes by their ids, the edges, and the sentences about what is not known."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.unknown: list[str] = []

    def add(self, kind: NodeKind, key: str, label: str, **details: Any) -> str:
        """Add a node, unless it is there, and return its id."""
        node = Node(f"{kind}:{key}", kind, label, _known(details))
        return self.nodes.setdefault(node.id, node).id

    def link(self, sources: Iterable[str], target: str, label: str = "") -> None:
        """Add an edge from each of ``sources`` to ``target``."""
        self.edges += [Edge(source, target, label) for source in sources]


def _known(details: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in details.items() if value not in (None, (), [], {})}
