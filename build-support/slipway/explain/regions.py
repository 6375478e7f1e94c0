"""The regions of a picture, or the segments of a recording, as parts that are blurred."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from slipway.explain.explanation import Kind, Part
from slipway.explain.picture import Picture
from slipway.explain.shapley.estimate import FEWEST_ROUNDS
from slipway.triton.datatypes import Array


@dataclass(frozen=True)
class Grid:
    """A picture of ``width`` × ``height`` pixels in ``columns`` × ``rows`` cells."""

    width: int
    height: int
    columns: int
    rows: int

    def edges(self) -> tuple[Array, Array]:
        """Return the cells' borders along x and y, in pixels."""
        across = np.rint(np.linspace(0, self.width, self.columns + 1)).astype(int)
        down = np.rint(np.linspace(0, self.height, self.rows + 1)).astype(int)
        return across, down

    def box(self, left: int, top: int, right: int, bottom: int) -> tuple[int, int, int, int]:
        """Return the pixels of a block of cells; ``right`` and ``bottom`` are outside of it."""
        across, down = self.edges()
        return (int(across[left]), int(down[top]), int(across[right]), int(down[bottom]))


@dataclass(frozen=True)
class Regions:
    """Each cell of a grid is a part; what is left out is blurred."""

    picture: Picture
    grid: Grid

    @property
    def kind(self) -> Kind:
        """Return whether it is an image or audio."""
        return self.picture.kind

    @property
    def input(self) -> str:
        """Return the picture's input."""
        return self.picture.name

    @property
    def statements(self) -> tuple[str, ...]:
        """Return what there is to know of the copies."""
        return self.picture.statements

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return a part for each cell, row by row."""
        return tuple(
            named_part(self.picture, self.grid.box(x, y, x + 1, y + 1), 0.0)
            for y in range(self.grid.rows)
            for x in range(self.grid.columns)
        )

    @property
    def changes(self) -> Array:
        """Return which cells have details that blurring takes away."""
        differs = (self.picture.pixels != self._blurred).any(axis=2)
        across, down = self.grid.edges()
        cells = np.logical_or.reduceat(
            np.logical_or.reduceat(differs, down[:-1], axis=0), across[:-1], axis=1
        )
        return cells.reshape(1, -1)

    def table(self, contributions: Array) -> Array:
        """Return the parts' contributions as the grid, [rows, columns]."""
        return contributions.reshape(self.grid.rows, self.grid.columns)

    @cached_property
    def _blurred(self) -> Array:
        return self.picture.blurred(max(self.grid.columns, self.grid.rows) // 2 or 1)

    def row(self, background: int, coalition: Array) -> Mapping[str, Array]:
        """Return the row whose picture is blurred outside of ``coalition``."""
        across, down = self.grid.edges()
        kept = coalition.reshape(self.grid.rows, self.grid.columns)
        pixels = kept.repeat(np.diff(down), axis=0).repeat(np.diff(across), axis=1)
        return self.picture.row(np.where(pixels[:, :, None], self.picture.pixels, self._blurred))


def fitting_grid(picture: Picture, rows: int) -> Grid:
    """Return a grid of at most 4 × 4 cells, or 16 segments, that ``rows`` rows can explain."""
    width, height = picture.size
    is_audio = picture.kind == "audio"
    cells = 16 if is_audio else 4
    while cells > 2 and 2 * FEWEST_ROUNDS * cells ** (1 if is_audio else 2) > rows:
        cells -= 1
    return Grid(width, height, min(cells, width), 1 if is_audio else min(cells, height))


def named_part(
    picture: Picture, box: tuple[int, int, int, int], contribution: float, error: float = 0.0
) -> Part:
    """Return the part of a region, named by its pixels or samples."""
    left, top, right, bottom = box
    if picture.kind == "audio":
        return Part(f"samples {left}-{right - 1}", "", contribution, error, (left, right))
    name = f"x {left}-{right - 1}, y {top}-{bottom - 1}"
    return Part(name, "", contribution, error, box)
