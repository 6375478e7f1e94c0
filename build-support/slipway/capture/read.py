"""Read captures back: Slipway's own and SageMaker's."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from slipway.capture.location import CaptureLocation
from slipway.capture.record import CapturedRequest


def read_captured(
    location: CaptureLocation,
    *,
    endpoint: str | None = None,
    names: Collection[str] | None = None,
    targets: Collection[str] | None = None,
    since: datetime,
    until: datetime | None = None,
) -> Iterator[CapturedRequest]:
    """Yield the captured requests from ``since`` to ``until``, by the hour, of the models ``names``
    or the target models ``targets``."""
    raise NotImplementedError
