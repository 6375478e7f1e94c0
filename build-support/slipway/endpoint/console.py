"""What an endpoint says in the terminal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from slipway.endpoint.observer import Event
from slipway.endpoint.serving import Served

LOUD = {"stale", "restart", "failed load"}
PAUSE_S = 0.2


def greeting(served: Served) -> str:
    """Where it answers, and how to ask."""
    lines = []
    for name, endpoint in served.endpoints.items():
        lines.append(f"{name}: {endpoint.container.server.source}")
        lines.append(f"  invocations: {served.url}/endpoints/{name}/invocations")
        lines.append(f"  the server's log: {endpoint.container.log_file}")
    lines.append(f"the live page: {served.url}/   metrics: {served.url}/metrics")
    lines.append("Ctrl-C ends it.")
    return "\n".join(lines)


async def events(served: Served, say: Callable[[str], None], ended: asyncio.Event) -> None:
    """Say what happens, a line each, until ``ended``. Invocations are not said."""
    shown = dict.fromkeys(served.endpoints, 0)
    while not ended.is_set():
        for name, endpoint in served.endpoints.items():
            total = sum(endpoint.observer.counts.values())
            new = min(total - shown[name], len(endpoint.observer.events))
            shown[name] = total
            for event in list(endpoint.observer.events)[len(endpoint.observer.events) - new :]:
                say(_line(name, event))
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
