"""A request of a load test, and the response or failure."""

from __future__ import annotations

from typing import NamedTuple


class Request(NamedTuple):
    """A request that is encoded once and sent many times."""

    target: str
    body: bytes
    content_type: str


class LoadResponse(NamedTuple):
    """The response to a request, or its failure. Times are seconds since the stage began.

    ``intended`` is when the request was due, ``sent`` when it was sent. ``error`` is the kind of
    failure, ``None`` for a success. ``cold`` is whether the endpoint had to load the release
    first; ``None`` if the endpoint did not report it.
    """

    target: str
    intended: float
    sent: float
    done: float
    error: str | None = None
    cold: bool | None = None

    @property
    def latency(self) -> float:
        """Return the time from when the request was due: a delay before sending counts, too."""
        return self.done - self.intended
