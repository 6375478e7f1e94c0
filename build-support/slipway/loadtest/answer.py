"""One request of a load test, and what became of it."""

from __future__ import annotations

from typing import NamedTuple


class Request(NamedTuple):
    """A request, encoded once and sent often."""

    target: str
    body: bytes
    content_type: str


class Answer(NamedTuple):
    """Times are seconds since the stage began.

    ``intended`` is when the schedule wanted it sent, ``sent`` when it was. ``error`` is the kind of
    failure, ``None`` for an answer. ``cold`` is whether the endpoint had to load the release
    first; ``None`` if it did not say.
    """

    target: str
    intended: float
    sent: float
    done: float
    error: str | None = None
    cold: bool | None = None

    @property
    def latency(self) -> float:
        """From the intended time: a request that had to wait for its turn has waited."""
        return self.done - self.intended
