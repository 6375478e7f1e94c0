"""Compare what came in with the reference profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from slipway.drift.report import DriftReport
from slipway.profile.profile import Profile

if TYPE_CHECKING:
    from slipway.capture.record import CapturedRequest

ALARMS = 1e-5  # of a whole check of traffic that has not drifted: 1 in 100 in 1,000 checks
IMAGES = 1_000  # of one tensor that are decoded in a check
ROWS_SHOWN = 20  # of a tensor


@dataclass(frozen=True)
class DriftOptions:
    """How sure an alarm has to be, and what is too small to matter.

    ``alarms`` is the probability of any alarm in a check without drift. ``floors`` are the smallest
    values that count, by statistic. ``effective_rows`` replaces the number of rows where they
    depend on each other, such as a few callers' bursts.
    """

    alarms: float = ALARMS
    floors: Mapping[str, float] = field(default_factory=dict)
    effective_rows: int | None = None
    images: int = IMAGES
    rows_shown: int = ROWS_SHOWN


def evaluate(
    profile: Profile,
    captured: Iterable[CapturedRequest],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    options: DriftOptions = DriftOptions(),
) -> DriftReport:
    """Return the drift of ``captured`` answers from ``profile``; shadows' are left out and noted.

    Equal arguments give equal reports.

    Raises:
        SlipwayError: there is no row to compare.
    """
    raise NotImplementedError
