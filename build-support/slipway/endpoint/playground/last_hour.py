"""The drift of the last hour, as the page shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from slipway.drift.recent import recent_drift
from slipway.drift.verdict import ReleaseDrift
from slipway.endpoint.playground.releases import name_of
from slipway.endpoint.playground.served import Served

SHOWN = 20  # tensors of a report, the most moved first


def drift(served: Served, target: str) -> dict[str, Any]:
    """Return whether what came in for the model of ``target`` still resembles its reference.

    Raises:
        SlipwayError: the store or the captures cannot be read.
    """
    settings = replace(
        served.settings, endpoints={**served.settings.endpoints, served.name: served.entry}
    )
    check = recent_drift(settings, served.name, name_of(target))
    return {"releases": [describe_release(release) for release in check.releases]}


def describe_release(release: ReleaseDrift) -> dict[str, Any]:
    """Return the drift of one release: its tensors, the most moved first, with their statistics."""
    tensors: list[dict[str, Any]] = [
        {
            "name": tensor.name,
            "side": tensor.side,
            "moved": tensor.moved,
            "score": tensor.score,
            "statistics": [
                {
                    "name": statistic.name,
                    "series": statistic.series,
                    "value": statistic.value,
                    "threshold": statistic.threshold,
                    "moved": statistic.moved,
                }
                for statistic in tensor.statistics.values()
            ],
        }
        for comparison in release.comparisons
        for tensor in comparison.report.tensors
    ]
    tensors.sort(key=lambda tensor: -tensor["score"])
    return {
        "target": release.target,
        "requests": release.requests,
        "verdict": release.verdict,
        "notes": list(release.notes),
        "tensors": tensors[:SHOWN],
        "left_out": len(tensors[SHOWN:]),
    }
