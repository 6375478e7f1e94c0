"""The captured rows of a window, tensor by tensor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from slipway.drift.report import Side
from slipway.profile.series import Series
from slipway.triton.datatypes import Array

if TYPE_CHECKING:
    from slipway.capture.record import CapturedRequest

THUMBNAIL = "thumbnail"


@dataclass(frozen=True)
class Rows:
    """The rows of one tensor: arrays of one request each, and which request it was."""

    arrays: list[Array] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)

    def blocks(self) -> Iterator[tuple[Array, Array, Array]]:
        """Return arrays of rows of one shape, and the request and the row in it of each."""
        shapes: dict[tuple[object, ...], list[int]] = {}
        for position, array in enumerate(self.arrays):
            shapes.setdefault((array.dtype, array.shape[1:]), []).append(position)
        for positions in shapes.values():
            arrays = [self.arrays[p] for p in positions]
            sizes = [len(array) for array in arrays]
            requests = np.repeat(np.array([self.requests[p] for p in positions]), sizes)
            rows = np.concatenate([np.arange(size) for size in sizes]) if sizes else np.array([])
            yield np.concatenate(arrays), requests, rows


@dataclass
class Window:
    """Answers that were captured.

    ``events`` and ``times`` are of each request, ``rows`` its number of rows. ``redacted`` counts
    the requests by tensor and by what is kept of it.
    """

    events: list[str] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    tensors: dict[tuple[Side, str], Rows] = field(default_factory=dict)
    thumbnails: dict[tuple[Side, str], Rows] = field(default_factory=dict)
    redacted: Counter[tuple[str, str]] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    shadows: int = 0

    def groups(self, requests: Array, block: timedelta | None) -> Array:
        """Return the group of rows that resemble each other: their request's, or its block's."""
        if block is None:
            return requests
        first = min(self.times)
        blocks = np.array([int((when - first) / block) for when in self.times])
        return np.asarray(blocks[requests])


def read_window(
    captured: Iterable[CapturedRequest], known: Mapping[Side, Iterable[str]], batches: bool
) -> Window:
    """Collect the rows of ``known`` tensors by side. Without ``batches`` a request is one row."""
    window = Window()
    names = {(side, name) for side, tensors in known.items() for name in tensors}
    for request in captured:
        if request.role != "answer":
            window.shadows += 1
            continue
        number = len(window.events)
        window.events.append(request.event_id)
        window.times.append(request.when)
        counted = 0
        for name, kept in request.redacted.items():
            window.redacted[name, kept] += 1
        sides: tuple[tuple[Side, Mapping[str, Array]], ...] = (
            ("inputs", request.inputs),
            ("outputs", request.outputs),
        )
        for side, tensors in sides:
            for name, array in tensors.items():
                rows = array if batches else array[np.newaxis]
                counted = max(counted, len(rows) if rows.ndim else 0)
                if (side, name) not in names:
                    window.unknown[name] += 1
                elif rows.ndim and len(rows):
                    _add(window, (side, name), rows, number, request.redacted.get(name))
        window.rows.append(max(counted, 1))
    return window


def _add(
    window: Window, key: tuple[Side, str], rows: Array, number: int, redacted: str | None
) -> None:
    if redacted not in (None, THUMBNAIL):
        return
    kept = window.thumbnails if redacted == THUMBNAIL else window.tensors
    one = kept.setdefault(key, Rows())
    one.arrays.append(rows)
    one.requests.append(number)


def join(parts: list[tuple[Series, Array, Array]]) -> tuple[Series, Array, Array]:
    """Join series of blocks, ordered by request and row."""
    requests = np.concatenate([part[1] for part in parts])
    rows = np.concatenate([part[2] for part in parts])
    if len(parts) == 1:
        return parts[0]
    order = np.lexsort((rows, requests))
    names = [name for name in parts[0][0] if all(name in part[0] for part in parts)]
    series = {name: np.concatenate([part[0][name] for part in parts])[order] for name in names}
    return series, requests[order], rows[order]
