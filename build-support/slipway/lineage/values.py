"""Render a lineage as JSON values of a documented shape."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from slipway.lineage.graph import Lineage

# docs/lineage.md describes it; a change that a reader has to know is another number
SCHEMA = "slipway-lineage/1"


def lineage_values(lineage: Lineage) -> dict[str, Any]:
    """Return the lineage as JSON values: nodes, the edges between their ids, and what is not
    known."""
    return {
        "schema": SCHEMA,
        "model": lineage.model,
        "version": lineage.version,
        "sha256": lineage.sha256,
        "nodes": [asdict(node) for node in lineage.nodes],
        "edges": [
            {"from": edge.source, "to": edge.target, "label": edge.label} for edge in lineage.edges
        ],
        "unknown": list(lineage.unknown),
    }
