"""What the live page shows, as JSON."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from slipway.endpoint.endpoint import Endpoint
from slipway.endpoint.series import INTERVAL_S, percentile


def of(endpoints: Mapping[str, Endpoint]) -> dict[str, Any]:
    """The state of every endpoint: bytes, milliseconds, seconds since 1970."""
    shown = {name: _endpoint(endpoint) for name, endpoint in endpoints.items()}
    return {"when": time.time(), "endpoints": shown}


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    limits, observer = endpoint.limits, endpoint.observer
    seen = observer.seen.values()
    return {
        "source": str(endpoint.container.server.source),
        "since": observer.began,
        "ready": endpoint.container.is_ready,
        "generation": endpoint.container.generation,
        "limits": {
            "models": limits.models,
            "memory": limits.memory,
            "disk": endpoint.disk.limit,
            "cached": limits.cached,
            "allow": list(endpoint.policy.patterns),
        },
        "memory": endpoint.memory,
        "disk": endpoint.disk.taken,
        "invocations": sum(one.invocations for one in seen),
        "errors": sum(one.errors for one in seen),
        "hits": sum(one.hits for one in seen),
        "counts": dict(observer.counts),
        "models": [_model(endpoint, target) for target in _targets(endpoint)],
        "interval": INTERVAL_S,
        "series": observer.series.summaries(),
        "events": [event._asdict() for event in observer.latest()],
    }


def _targets(endpoint: Endpoint) -> list[str]:
    """Loaded and loading ones first, then those that were asked for, the latest first."""
    seen = endpoint.observer.seen
    known = {*endpoint.models.table, *seen}
    return sorted(
        known,
        key=lambda target: (
            target not in endpoint.models.table,
            -(seen[target].last if target in seen else 0.0),
        ),
    )


def _model(endpoint: Endpoint, target: str) -> dict[str, Any]:
    model = endpoint.models.table.get(target)
    placed = endpoint.disk.placed.get(target)
    seen = endpoint.observer.seen.get(target)
    latencies = sorted(1000 * seconds for seconds in seen.latencies) if seen else []
    return {
        "target": target,
        "state": model.state if model else "on disk" if placed else "gone",
        "in_use": model.users if model else 0,
        "memory": model.memory if model else 0,
        "disk": placed.size if placed else 0,
        "stale": target in endpoint.overwritten,
        "invocations": seen.invocations if seen else 0,
        "errors": seen.errors if seen else 0,
        "hits": seen.hits if seen else 0,
        "loads": seen.loads if seen else 0,
        "last": seen.last if seen else None,
        "p50": percentile(latencies, 0.5),
        "p99": percentile(latencies, 0.99),
    }
