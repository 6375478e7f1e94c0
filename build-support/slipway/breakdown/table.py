"""A breakdown as a table for people."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.breakdown.measure import Breakdown
from slipway.breakdown.processes import SERVER

HEAD = ("part", "waits", "copies", "computes", "processor")
SERVERS = "Triton: HTTP, queues, the ensemble"
BETWEEN = "between the models"
OUTSIDE = "HTTP, and this client"


def rows(found: Breakdown) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield the cells of each row, milliseconds a request."""
    for name, spent in found.steps.items():
        batch = f" (batches of {spent.batch:.1f})" if spent.batch >= 1.05 else ""
        copies = spent.each("inputs") + spent.each("outputs")
        yield (
            f"{name}{batch}",
            _number(spent.each("queue")),
            _number(copies),
            _number(spent.each("compute")),
            _number(found.processor[name]) if name in found.processor else "in Triton's",
        )
    if found.ensemble is not None:
        yield BETWEEN, _number(found.between), "", "", ""
    yield OUTSIDE, _number(found.outside), "", "", ""
    yield SERVERS, "", "", "", _number(found.processor[SERVER])


def text(found: Breakdown) -> str:
    """Return the table, with what it comes to."""
    who = f"{found.clients} client{'s' if found.clients > 1 else ''}"
    table = [HEAD, *rows(found)]
    widths = [max(len(row[column]) for row in table) for column in range(len(HEAD))]
    lines = [f"{who}, {found.requests} requests; milliseconds a request"]
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  " + "  ".join(cells).rstrip())
    total = sum(found.processor.values())
    lines.append(
        f"  {found.latency:.2f} in all: models {found.models:.2f}, waiting for their turn"
        f" {found.waits:.2f}, the server {found.server:.2f}; processor time {total:.2f}"
    )
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:.2f}"
