"""Compare what came in with the reference profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slipway.drift.captured_rows import Window, read_window
from slipway.drift.compare_tensor import Check, compare_tensor
from slipway.drift.floors import FLOORS
from slipway.drift.report import DriftReport, Side, TensorDrift
from slipway.errors import SlipwayError
from slipway.profile.profile import Profile
from slipway.profile.sketch import NumberSketch

if TYPE_CHECKING:
    from slipway.capture.record import CapturedRequest

ALARMS = 1e-5  # of a whole check of traffic that has not drifted: 1 in 100 in 1,000 checks
IMAGES = 1_000  # of one tensor that are decoded in a check
ROWS_SHOWN = 20  # of a tensor
STATISTICS_OF = {True: 4, False: 3}  # of a series of numbers, of names


@dataclass(frozen=True)
class DriftOptions:
    """How sure an alarm has to be, and what is too small to matter.

    ``alarms`` is the probability of any alarm in a check without drift. ``floors`` are the smallest
    values that count, by statistic. ``effective_rows`` is the most that a window's rows are worth,
    and ``block`` the time within which they resemble each other, such as in a few callers' bursts.
    """

    alarms: float = ALARMS
    floors: Mapping[str, float] = field(default_factory=dict)
    effective_rows: int | None = None
    block: timedelta | None = None
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
    known: dict[Side, list[str]] = {
        "inputs": list(profile.inputs),
        "outputs": list(profile.outputs),
    }
    window = read_window(captured, known, profile.batches)
    if not window.events:
        raise SlipwayError(
            "no captured request to compare with the reference",
            fix="choose an earlier --since; or capture requests: slipway endpoint up --capture",
        )
    check = Check(
        alpha=options.alarms / max(1, count_statistics(profile)),
        floors={**FLOORS, **options.floors},
        least=profile.least,
        effective_rows=options.effective_rows,
        block=options.block,
        images=options.images,
        rows_shown=options.rows_shown,
    )
    tensors: list[TensorDrift] = []
    notes: list[str] = []
    sides: tuple[Side, ...] = ("inputs", "outputs")
    for side in sides:
        for name, tensor in profile.sides()[side].items():
            result, said = compare_tensor(check, window, side, name, tensor)
            tensors.append(result)
            notes += said
    return DriftReport(
        tensors=tensors,
        rows=sum(window.rows),
        requests=len(window.events),
        reference_rows=profile.rows,
        source=profile.source,
        since=since or min(window.times),
        until=until or max(window.times),
        alarms=options.alarms,
        notes=(*profile.notes, *notes, *_notes(window)),
    )


def count_statistics(profile: Profile) -> int:
    """Return how many statistics a check compares: an alarm of any is one of the whole check."""
    return sum(
        STATISTICS_OF[isinstance(sketch, NumberSketch)]
        for tensors in profile.sides().values()
        for tensor in tensors.values()
        for sketch in tensor.series.values()
    )


def _notes(window: Window) -> list[str]:
    notes = [
        f"{name}: not in the profile, not compared ({count} requests)"
        for name, count in sorted(window.unknown.items())
    ]
    notes += [
        f"{name}: redacted ({kept}) in {count} of {len(window.events)} requests"
        for (name, kept), count in sorted(window.redacted.items())
    ]
    if window.shadows:
        notes.append(f"{window.shadows} shadows' requests are left out")
    if len(window.events) == 1 and window.rows[0] > 1:
        notes.append("all rows came in one request, whose rows may resemble each other")
    return notes
