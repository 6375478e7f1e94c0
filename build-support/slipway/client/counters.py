"""What a client counts, with or without Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from slipway.errors import SlipwayError

CaptureCounts = Callable[[], Mapping[str, Mapping[str, int]]]
"""Returns how many captures had which outcome, by target model."""


class Counters(Protocol):
    """Counters of invocations. ``variant`` is the target model, ``role`` ``answer`` or ``shadow``;
    for outcomes see :class:`~slipway.client.metrics.PrometheusCounters`. Safe to use from several
    threads.
    """

    def count_invocation(self, model: str, variant: str, role: str, outcome: str) -> None:
        """Count one invocation."""
        ...

    def observe_latency(self, model: str, variant: str, role: str, seconds: float) -> None:
        """Record how long the caller waited, retries included."""
        ...

    def count_retry(self, model: str, variant: str, reason: str) -> None:
        """Count one failed attempt that is repeated."""
        ...

    def count_comparison(self, model: str, variant: str, outcome: str) -> None:
        """Count one comparison of a shadow's response."""
        ...

    def watch_captures(self, counts: CaptureCounts) -> None:
        """Report, whenever the counters are read, what became of captures."""
        ...

    def text(self) -> str:
        """Return everything in Prometheus's text format."""
        ...


class NoCounters:
    """Counters where Prometheus's client is not installed: they count nothing."""

    def count_invocation(self, model: str, variant: str, role: str, outcome: str) -> None:
        """See :class:`Counters`."""

    def observe_latency(self, model: str, variant: str, role: str, seconds: float) -> None:
        """See :class:`Counters`."""

    def count_retry(self, model: str, variant: str, reason: str) -> None:
        """See :class:`Counters`."""

    def count_comparison(self, model: str, variant: str, outcome: str) -> None:
        """See :class:`Counters`."""

    def watch_captures(self, counts: CaptureCounts) -> None:
        """See :class:`Counters`."""

    def text(self) -> str:
        """Raise.

        Raises:
            SlipwayError: always; names the package to install.
        """
        raise SlipwayError(
            "metrics need the package prometheus-client, which is not installed",
            fix="pip install 'slipway-client[metrics]'",
        )
