"""Write captures off the request's path."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from slipway.capture.exchange import Exchange
from slipway.capture.location import CaptureLocation
from slipway.model.capture_rules import CaptureRules

# the rules of a target model; ``None`` or an error: they are not known, and nothing is captured
FindRules = Callable[[str], "CaptureRules | None"]


class CaptureWriter:
    """Sample, redact and write exchanges in the background.

    ``find_rules`` is called in the background, once for each target model (again after a while if
    it returned ``None`` or raised). ``in_process`` does the work in a process of its own, so that
    it never holds the interpreter of a server.

    Safe to use from several threads and from an event loop.
    """

    def __init__(
        self, location: CaptureLocation, find_rules: FindRules, *, in_process: bool = False
    ) -> None:
        raise NotImplementedError

    def offer(self, exchange: Exchange) -> bool:
        """Return at once whether the exchange was taken: not if it is not sampled, or the queue is
        full, which is counted. Nothing of it is decoded or copied here."""
        raise NotImplementedError

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Return by target model what became of what was offered: ``offered``, ``unsampled``,
        ``written``, and ``dropped.<reason>`` for each reason."""
        raise NotImplementedError

    def close(self) -> None:
        """Write what is in the queue, close the files, and end the background's work."""
        raise NotImplementedError
