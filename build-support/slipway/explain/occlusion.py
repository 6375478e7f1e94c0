"""Occlusion: how far the score falls when a part is left out, one part at a time.

Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks": windows of several
sizes slide over a picture, half a window at a time. What a window covers gets the local mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from slipway.errors import SlipwayError
from slipway.explain.asker import Row
from slipway.explain.picture import Picture
from slipway.explain.regions import Grid
from slipway.triton.datatypes import Array

# the scores of rows
Scores = Callable[[Iterable[Row]], Array]
MOST_CELLS = 128


class Window(NamedTuple):
    """A block of a grid's cells; ``right`` and ``bottom`` are outside of it."""

    left: int
    top: int
    right: int
    bottom: int
    size: int


class Occlusion(NamedTuple):
    """``heat``, [rows, columns] of ``grid``: how far the score falls, as mean of the windows that
    cover a cell; ``windows`` and the ``falls`` of each.
    """

    grid: Grid
    heat: Array
    windows: tuple[Window, ...]
    falls: Array


def fitting_windows(picture: Picture, wished: Sequence[int], rows: int) -> list[int]:
    """Return those of the window sizes (parts of a side) that the picture and the budget allow.

    Raises:
        SlipwayError: there is none.
    """
    width, height = picture.size
    side = width if picture.kind == "audio" else min(width, height)
    chosen: list[int] = []
    for size in sorted(wished):
        grid = 2 * math.lcm(*chosen, size)
        if grid > min(side, MOST_CELLS) or sum(map(_count(picture), [*chosen, size])) > rows:
            continue
        chosen.append(size)
    if not chosen and side >= 4 and _count(picture)(2) <= rows:
        chosen = [2]
    if chosen:
        return chosen
    raise SlipwayError(
        f"{width} × {height} values and {rows} rows leave no room for windows",
        fix=f"--requests for {_count(picture)(min(wished))} rows at least, or fewer --windows",
    )


def _count(picture: Picture) -> Callable[[int], int]:
    """Return the number of windows of a size."""
    return lambda size: 2 * size - 1 if picture.kind == "audio" else (2 * size - 1) ** 2


def occlude(picture: Picture, scores: Scores, answer: float, sizes: Sequence[int]) -> Occlusion:
    """Return how far the score falls from ``answer`` under windows of 1/size of each side."""
    cells = 2 * math.lcm(*sizes)
    width, height = picture.size
    grid = Grid(width, height, cells, 1 if picture.kind == "audio" else cells)
    windows = tuple(_windows(grid, sizes))
    falls = answer - scores(_covered(picture, grid, windows))
    heat = np.zeros((grid.rows, grid.columns))
    for size in sizes:
        total, count = np.zeros_like(heat), np.zeros_like(heat)
        for window, fall in zip(windows, falls, strict=True):
            if window.size == size:
                block = np.s_[window.top : window.bottom, window.left : window.right]
                total[block] += fall
                count[block] += 1
        heat += total / count / len(sizes)
    return Occlusion(grid, heat, windows, falls)


def strongest(occlusion: Occlusion, most: int = 5) -> list[int]:
    """Return the windows with the largest changes that do not overlap, the largest first."""
    chosen: list[int] = []
    for number in np.argsort(-abs(occlusion.falls), kind="stable"):
        window = occlusion.windows[number]
        if not occlusion.falls[number]:
            break
        if not any(_overlap(window, occlusion.windows[other]) for other in chosen):
            chosen.append(int(number))
        if len(chosen) == most:
            break
    return chosen


def _overlap(one: Window, other: Window) -> bool:
    return (
        one.left < other.right
        and other.left < one.right
        and one.top < other.bottom
        and other.top < one.bottom
    )


def _windows(grid: Grid, sizes: Sequence[int]) -> Iterator[Window]:
    for size in sizes:
        wide = grid.columns // size
        high = grid.rows // size if grid.rows > 1 else 1
        tops = range(0, grid.rows - high + 1, high // 2) if grid.rows > 1 else [0]
        for top in tops:
            for left in range(0, grid.columns - wide + 1, wide // 2):
                yield Window(left, top, left + wide, top + high, size)


def _covered(picture: Picture, grid: Grid, windows: Sequence[Window]) -> Iterator[Row]:
    means: dict[int, Array] = {}
    for window in windows:
        if window.size not in means:
            means[window.size] = picture.blurred(window.size)
        left, top, right, bottom = grid.box(*window[:4])
        pixels = picture.pixels.copy()
        pixels[top:bottom, left:right] = means[window.size][top:bottom, left:right]
        yield picture.row(pixels)
