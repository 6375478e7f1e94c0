"""Render a lineage as JSON values of a documented shape."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from slipway.lineage.graph import Lineage

# docs/lineage.md describes it; a change that a reader has to know is another number
SCHEMA = "slipway-lineage/1"


def lineage_values(lineage: Lineage) -> dict[str, Any]:
    """Return the lineage as JSON values: nodes, the edges between their ids, and what is not
    known."""
    values = {
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
    return {key: _finite(value) for key, value in values.items()}


def _finite(value: Any) -> Any:
    """Return ``value`` with ``None`` for NaN and infinity, which JSON has not."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
