"""The lineage of a release as values: what there is, and what was made from what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

NodeKind = Literal[
    "data",
    "code",
    "image",
    "stage",
    "run",
    "origin",
    "original",
    "conversion",
    "weights",
    "artifact",
    "release",
    "alias",
    "endpoint",
]


@dataclass(frozen=True)
class Node:
    """One thing. ``id`` is unique in its lineage and begins with the kind; ``label`` is for people.

    ``details`` are JSON values; docs/lineage.md lists those of each kind.
    """

    id: str
    kind: NodeKind
    label: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Edge:
    """``target`` was made from ``source``, or has it as a part; ``label`` says how."""

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True)
class Lineage:
    """What the release ``version`` of ``model`` was made from, and where it is served.

    ``sha256`` is that of its artifact. Each edge leads from what was first to what was made of it.
    ``unknown`` says in sentences what is not known or not certain.
    """

    model: str
    version: str
    sha256: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    unknown: tuple[str, ...] = ()

    def of_kind(self, *kinds: NodeKind) -> list[Node]:
        """Return the nodes of these kinds, in their order."""
        return [node for node in self.nodes if node.kind in kinds]

    def sources(self, node: Node) -> Iterator[tuple[Node, str]]:
        """Yield what ``node`` was made from, with the edges' labels."""
        by_id = {one.id: one for one in self.nodes}
        for edge in self.edges:
            if edge.target == node.id:
                yield by_id[edge.source], edge.label

    def targets(self, node: Node) -> Iterator[tuple[Node, str]]:
        """Yield what was made from ``node``, with the edges' labels."""
        by_id = {one.id: one for one in self.nodes}
        for edge in self.edges:
            if edge.source == node.id:
                yield by_id[edge.target], edge.label
