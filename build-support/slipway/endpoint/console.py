"""What an endpoint prints in the terminal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from slipway.endpoint.containers.endpoint import ContainerEndpoint
from slipway.endpoint.containers.running import RunningContainer
from slipway.endpoint.containers.state import describe_mode
from slipway.endpoint.observed.observer import Event
from slipway.endpoint.serving import RunningEndpoints
from slipway.model.container_folder import MODEL

LOUD = {"stale", "restart", "failed load", "leftover", "not captured"}
PAUSE_S = 0.2


def greeting(running: RunningEndpoints) -> str:
    """Return the addresses of the endpoints, their pages and their logs."""
    lines = []
    for name, endpoint in running.endpoints.items():
        invocations = f"  invocations: {running.url}/endpoints/{name}/invocations"
        capture = endpoint.capture
        share = "" if capture is None or capture.share == 1 else f", {capture.share:.3g} of them"
        captures = [f"  requests are captured{share}: {capture.location}"] if capture else []
        if isinstance(endpoint, ContainerEndpoint):
            lines += [f"{name}: containers, invoked {describe_mode(endpoint)}", invocations]
            lines += [*map(_container, endpoint.containers.values()), *captures]
            continue
        lines += [f"{name}: {endpoint.container.server.source}", invocations]
        lines += [f"  the server's log: {endpoint.container.log_file}", *captures]
    lines.append(f"the live page: {running.url}/   metrics: {running.url}/metrics")
    lines.append("Press Ctrl-C to stop.")
    return "\n".join(lines)


def describe_captures(running: RunningEndpoints) -> list[str]:
    """Return a line for each endpoint that captured, once all is written: how many answers, and
    how many were not captured for which reason."""
    lines = []
    for name, endpoint in running.endpoints.items():
        if endpoint.capture is not None:
            state = endpoint.capture.snapshot()
            dropped = "".join(f"; {n} not: {why}" for why, n in state["dropped"].items())
            lines.append(f"{name}: {state['written']} answers captured{dropped}")
    return lines


def _container(container: RunningContainer) -> str:
    definition, process = container.definition, container.process
    missing = process.not_mounted if process else None
    note = f"; its model is not at {MODEL} ({missing})" if missing else ""
    return f"  {definition.hostname}: {definition.target}; log: {container.log_file}{note}"


async def print_events(
    running: RunningEndpoints, write: Callable[[str], None], ended: asyncio.Event
) -> None:
    """Write a line for each event until ``ended``. Invocations are no events."""
    printed = dict.fromkeys(running.endpoints, 0)
    while not ended.is_set():
        for name, endpoint in running.endpoints.items():
            total = sum(endpoint.observer.counts.values())
            new = min(total - printed[name], len(endpoint.observer.events))
            printed[name] = total
            for event in list(endpoint.observer.events)[len(endpoint.observer.events) - new :]:
                write(_line(name, event))
        try:
            async with asyncio.timeout(PAUSE_S):
                await ended.wait()
        except TimeoutError:
            continue


def _line(name: str, event: Event) -> str:
    when = time.strftime("%H:%M:%S", time.localtime(event.when))
    mark = "WARNING " if event.kind in LOUD else ""
    first, *rest = event.what.splitlines()
    more = "".join(f"\n    {line}" for line in rest) if event.kind != "error" else ""
    return f"{when} {name}: {mark}{event.kind} {event.target} {first}{more}".replace("  ", " ")
