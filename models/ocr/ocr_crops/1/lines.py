"""Find lines of text in the map of detection, as RapidOCR does (rapidocr/ch_ppocr_det)."""

from typing import Any

import numpy as np
from components import outlines
from rectangle import clockwise, smallest_rectangle

THRESHOLD = 0.3
"""A pixel of the map is text above it."""

LINE_THRESHOLD = 0.5
"""The mean of the map within a line, at least."""

GROWTH = 1.6
"""The network is trained on shrunk lines; they grow by this ratio of area to length."""

SMALLEST = 3
SAME_ROW = 10
"""Pixels: lines whose upper left corners differ by less in height are read from left to right."""


def find_lines(chance: Any, width: int, height: int) -> Any:
    """Return the corners INT64 [lines, 4, 2] in a photo of so many pixels, in order of reading.

    ``chance`` FP32 [rows, columns] is the map, of another size than the photo.
    """
    mask = _dilate(chance > THRESHOLD)
    scale = np.array([width / chance.shape[1], height / chance.shape[0]])
    found = []
    for outline in outlines(mask):
        corners, side = smallest_rectangle(outline)
        if side < SMALLEST or _mean_within(chance, corners) < LINE_THRESHOLD:
            continue
        grown, side = _grow(corners)
        if side < SMALLEST + 2:
            continue
        box = np.clip(np.round(grown * scale), 0, [width, height])
        box = np.clip(clockwise(box), 0, [width - 1, height - 1]).astype(np.int64)
        if np.hypot(*(box[0] - box[1])) >= 4 and np.hypot(*(box[0] - box[3])) >= 4:
            found.append(box)
    return _in_order(np.array(found, dtype=np.int64).reshape(-1, 4, 2))


def _dilate(mask: Any) -> Any:
    """Return the mask with each pixel spread to the right, down, and both."""
    wide = mask.copy()
    wide[:, 1:] |= mask[:, :-1]
    high = wide.copy()
    high[1:] |= wide[:-1]
    return high


def _mean_within(chance: Any, corners: Any) -> float:
    rows, columns = chance.shape
    low = np.clip(np.floor(corners.min(0)), 0, [columns - 1, rows - 1]).astype(int)
    high = np.clip(np.ceil(corners.max(0)), 0, [columns - 1, rows - 1]).astype(int)
    x = np.arange(low[0], high[0] + 1)[None, :]
    y = np.arange(low[1], high[1] + 1)[:, None]
    corner = np.trunc(corners - low) + low
    inside = np.ones((y.size, x.size), dtype=bool)
    for (ax, ay), (bx, by) in zip(corner, np.roll(corner, -1, axis=0), strict=True):
        # half a pixel beyond each edge: the pixels that the edge goes through belong to it
        reach = max(abs(bx - ax), abs(by - ay)) / 2
        inside &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= -reach
    if not inside.any():
        return 0.0
    return float(chance[low[1] : high[1] + 1, low[0] : high[0] + 1][inside].mean())


def _grow(corners: Any) -> tuple[Any, float]:
    x, y = corners[:, 0], corners[:, 1]
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    length = np.hypot(*(corners - np.roll(corners, -1, axis=0)).T).sum()
    return smallest_rectangle(np.trunc(corners), area * GROWTH / length)


def _in_order(boxes: Any) -> Any:
    down = boxes[np.argsort(boxes[:, 0, 1], kind="stable")]
    row = np.cumsum(np.diff(down[:, 0, 1], prepend=down[:1, 0, 1]) >= SAME_ROW)
    return down[np.lexsort((down[:, 0, 0], row))]
