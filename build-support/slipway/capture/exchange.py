"""A request and its answer as bytes, before anything of them is decoded."""

from __future__ import annotations

from typing import NamedTuple

from slipway.capture.inference_id import shadowed_event
from slipway.capture.record import Role


class Exchange(NamedTuple):
    """What was sent to a target model, and what it answered.

    ``when`` is in seconds since the epoch. ``inference_id`` is SageMaker's, where the caller gave
    one.
    """

    event_id: str
    when: float
    endpoint: str
    variant: str
    target: str
    request: bytes
    request_type: str
    response: bytes
    response_type: str
    role: Role = "answer"
    inference_id: str = ""

    @property
    def sampling_id(self) -> str:
        """Return the event by which it is sampled: a shadow is kept if its answer is."""
        return shadowed_event(self.inference_id) or self.event_id

    @property
    def size(self) -> int:
        """Return the bytes of both bodies."""
        return len(self.request) + len(self.response)
