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
        if len({(array.dtype, array.shape[1:]) for array in self.arrays}) == 1:
            shapes[()] = list(range(len(self.arrays)))
        else:
            for position, array in enumerate(self.arrays):
                shapes.setdefault((array.dtype, array.shape[1:]), []).append(position)
        for positions in shapes.values():
            arrays = [self.arrays[p] for p in positions]
            joined = np.concatenate(arrays)
            requests = np.array([self.requests[p] for p in positions])
            if len(joined) == len(arrays):  # the usual case: each is one row
                yield joined, requests, np.zeros(len(arrays), np.int64)
                continue
            sizes = [len(array) for array in arrays]
            rows = np.concatenate([np.arange(size) for size in sizes])
            yield joined, np.repeat(requests, sizes), rows


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
    kept: list[tuple[Side, dict[str, Rows]]] = [
        (side, {name: Rows() for name in names}) for side, names in known.items()
    ]
    for request in captured:
        if request.role != "answer":
            window.shadows += 1
            continue
        number = len(window.events)
        window.events.append(request.event_id)
        window.times.append(request.when)
        for name, what in request.redacted.items():
            window.redacted[name, what] += 1
        counted = 1
        for side, tensors in kept:
            captured_side = request.inputs if side == "inputs" else request.outputs
            for name, array in captured_side.items():
                if not batches:
                    array = array[np.newaxis]
                rows = tensors.get(name)
                if request.redacted and name in request.redacted:
                    if request.redacted[name] != THUMBNAIL:
                        continue
                    rows = window.thumbnails.setdefault((side, name), Rows())
                if rows is None:
                    window.unknown[name] += 1
                elif array.ndim and (size := len(array)):
                    rows.arrays.append(array)
                    rows.requests.append(number)
                    if size > counted:
                        counted = size
        window.rows.append(counted)
    for side, tensors in kept:
        window.tensors |= {(side, name): rows for name, rows in tensors.items() if rows.arrays}
    return window


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
