"""Captured requests as the tests of a comparison need them: a label and a number a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from slipway.capture.record import CapturedRequest, Role
from slipway.comparison.compare import Question

A, B = "fares_1.0.0.tar.gz", "fares_1.1.0.tar.gz"
START = datetime(2026, 11, 30, 10, tzinfo=UTC)
DIED, SURVIVED = "died", "survived"


def request(
    number: int,
    target: str,
    labels: Sequence[str] = (),
    *,
    role: Role = "answer",
    scores: Sequence[float] = (),
    fare: float = 7.0,
    **more: Any,
) -> CapturedRequest:
    """Return the request ``e<number>``, one second after the one before."""
    outputs: dict[str, Any] = {}
    if labels:
        outputs["label"] = np.array([[label.encode()] for label in labels], object)
    if scores:
        outputs["score"] = np.array([[score] for score in scores], np.float32)
    rows = len(labels) or len(scores)
    inputs: Mapping[str, Any] = more.pop("inputs", {"fare": np.full((rows, 1), fare, np.float32)})
    return CapturedRequest(
        event_id=f"e{number}",
        when=START + timedelta(seconds=number),
        endpoint="local",
        target=target,
        variant="AllTraffic",
        role=role,
        inputs=inputs,
        outputs=outputs,
        **more,
    )


def shadowed(answers: Sequence[tuple[str, str]]) -> list[CapturedRequest]:
    """Return requests that A answered and B as its shadow, with these labels."""
    return [
        each
        for number, (a, b) in enumerate(answers)
        for each in (request(number, A, [a]), request(number, B, [b], role="shadow"))
    ]


def question(**more: Any) -> Question:
    """Return the question about A and B, of the hours from the first request."""
    return Question("fares", A, B, "local", START, START + timedelta(hours=10), **more)
