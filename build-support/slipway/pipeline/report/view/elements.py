"""The elements of a rendered report: tables, text and bars. Texts are plain: each template escapes
them in its own way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

# note: a person should look at it; bad: it must not go to production
Tone = Literal["", "good", "note", "bad"]


@dataclass(frozen=True)
class Cell:
    """A text; ``code`` marks a name as written in a file."""

    text: str
    tone: Tone = ""
    code: bool = False


@dataclass(frozen=True)
class Bar:
    """A quantity in production and on the branch, and how it changed. Lengths are from 0 to 1."""

    label: str
    served: str | None
    candidate: str
    served_length: float
    candidate_length: float
    change: Cell


@dataclass(frozen=True)
class Whisker:
    """A ratio and its interval, as fractions of the axis; ``label`` and ``text`` describe them."""

    label: str
    text: Cell
    low: float
    at: float
    high: float


@dataclass(frozen=True)
class Axis:
    """From ``low`` to ``high``, as percentages; ``same`` is the position of no change."""

    low: str
    high: str
    same: float


@dataclass(frozen=True)
class Section:
    """A part of a model's report. ``bars`` and ``whiskers`` show ``rows`` as a picture."""

    title: str
    lines: tuple[Cell, ...] = ()
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    code: tuple[tuple[str, str], ...] = ()
    bars: tuple[Bar, ...] = ()
    whiskers: tuple[Whisker, ...] = ()
    axis: Axis | None = None


@dataclass(frozen=True)
class ModelView:
    """One model: ``release`` is the change of its release version; ``cells`` are its row."""

    name: str
    release: str
    cells: tuple[Cell, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class View:
    """A complete report, beginning with ``headline``."""

    headline: str
    tone: Tone
    heads: tuple[str, ...]
    models: tuple[ModelView, ...]
    lines: tuple[Cell, ...]
    foot: str
    failed: bool = field(default=False)
