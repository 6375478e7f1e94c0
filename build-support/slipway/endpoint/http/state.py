"""The state that the live page shows, as JSON."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from slipway.endpoint.any_endpoint import AnyEndpoint
from slipway.endpoint.containers.endpoint import ContainerEndpoint
from slipway.endpoint.containers.state import snapshot_containers
from slipway.endpoint.endpoint import Endpoint
from slipway.endpoint.observed.series import INTERVAL_S
from slipway.percentiles import nearest_rank


def snapshot(endpoints: Mapping[str, AnyEndpoint]) -> dict[str, Any]:
    """Return the state of every endpoint: bytes, milliseconds, seconds since 1970."""
    states: dict[str, dict[str, Any]] = {
        name: (
            snapshot_containers(endpoint)
            if isinstance(endpoint, ContainerEndpoint)
            else _endpoint(endpoint)
        )
        for name, endpoint in endpoints.items()
    }
    for name, endpoint in endpoints.items():
        states[name]["capture"] = endpoint.capture.snapshot() if endpoint.capture else None
    return {"when": time.time(), "endpoints": states}


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    limits, observer = endpoint.limits, endpoint.observer
    statistics = observer.statistics.values()
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
        "leftover": sum(endpoint.leftover.values()),
        "disk": endpoint.disk.used_bytes,
        "invocations": sum(target.invocations for target in statistics),
        "errors": sum(target.errors for target in statistics),
        "hits": sum(target.hits for target in statistics),
        "counts": dict(observer.counts),
        "models": [_model(endpoint, target) for target in _targets(endpoint)],
        "timings": observer.timings.dump(),
        "interval": INTERVAL_S,
        "series": observer.series.summaries(),
        "events": [event._asdict() for event in observer.latest()],
    }


def _targets(endpoint: Endpoint) -> list[str]:
    """Return the targets, loaded and loading ones first, then by their last invocation."""
    statistics = endpoint.observer.statistics
    targets = {*endpoint.models.table, *statistics}
    return sorted(
        targets,
        key=lambda target: (
            target not in endpoint.models.table,
            -(statistics[target].last if target in statistics else 0.0),
        ),
    )


def _model(endpoint: Endpoint, target: str) -> dict[str, Any]:
    model = endpoint.models.table.get(target)
    extracted = endpoint.disk.extracted.get(target)
    statistics = endpoint.observer.statistics.get(target)
    latencies = sorted(1000 * seconds for seconds in statistics.latencies) if statistics else []
    return {
        "target": target,
        "state": model.state if model else "on disk" if extracted else "gone",
        "in_use": model.users if model else 0,
        "memory": model.memory if model else 0,
        "disk": extracted.size if extracted else 0,
        "stale": target in endpoint.overwritten,
        "invocations": statistics.invocations if statistics else 0,
        "errors": statistics.errors if statistics else 0,
        "hits": statistics.hits if statistics else 0,
        "loads": statistics.loads if statistics else 0,
        "last": statistics.last if statistics else None,
        "p50": nearest_rank(latencies, 0.5),
        "p99": nearest_rank(latencies, 0.99),
    }
