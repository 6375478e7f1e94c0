"""The state of an endpoint of several containers, as the live page shows it."""

from __future__ import annotations

from typing import Any

from slipway.endpoint.containers.endpoint import PIPELINE, ContainerEndpoint
from slipway.endpoint.observed.series import INTERVAL_S
from slipway.percentiles import nearest_rank


def snapshot_containers(endpoint: ContainerEndpoint) -> dict[str, Any]:
    """Return the state: bytes, milliseconds, seconds since 1970. A container is a row of its
    models; a pipeline, whose invocations are counted as a whole, is one more."""
    observer = endpoint.observer
    statistics = observer.statistics.values()
    running = endpoint.containers.values()
    labels = [*endpoint.containers, *([PIPELINE] if endpoint.mode == "serial" else [])]
    return {
        "source": f"{len(running)} containers, invoked {describe_mode(endpoint)}",
        "since": observer.began,
        "ready": all(container.is_ready for container in running),
        "generation": 1 + observer.counts["restart"],
        "limits": {
            "models": 0,
            "memory": 0,
            "disk": 0,
            "cached": True,
            "allow": list(endpoint.policy.patterns),
        },
        "memory": sum(endpoint.memory.values()),
        "leftover": 0,
        "disk": 0,
        "invocations": sum(target.invocations for target in statistics),
        "errors": sum(target.errors for target in statistics),
        "hits": sum(target.hits for target in statistics),
        "counts": dict(observer.counts),
        "models": [_container(endpoint, label) for label in labels],
        "interval": INTERVAL_S,
        "series": observer.series.summaries(),
        "events": [event._asdict() for event in observer.latest()],
    }


def describe_mode(endpoint: ContainerEndpoint) -> str:
    """Return how the containers are invoked, as an adverb."""
    return "directly" if endpoint.mode == "direct" else "one after another"


def _container(endpoint: ContainerEndpoint, label: str) -> dict[str, Any]:
    container = endpoint.containers.get(label)
    statistics = endpoint.observer.statistics.get(label)
    latencies = sorted(1000 * seconds for seconds in statistics.latencies) if statistics else []
    return {
        "target": label,
        "state": "loaded" if container is None or container.is_ready else "loading",
        "in_use": 0,
        "memory": endpoint.memory.get(label, 0),
        "disk": 0,
        "stale": False,
        "invocations": statistics.invocations if statistics else 0,
        "errors": statistics.errors if statistics else 0,
        "hits": statistics.hits if statistics else 0,
        "loads": 1,
        "last": statistics.last if statistics else None,
        "p50": nearest_rank(latencies, 0.5),
        "p99": nearest_rank(latencies, 0.99),
    }
