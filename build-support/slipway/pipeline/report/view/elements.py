"""What a report is made of when it is shown: tables, words and bars. Texts are plain: each template
escapes them in its own way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

# note: somebody should look; bad: this must not go to production as it is
Tone = Literal["", "good", "note", "bad"]


@dataclass(frozen=True)
class Cell:
    """A text; ``code`` is a name as it stands in a file."""

    text: str
    tone: Tone = ""
    code: bool = False


@dataclass(frozen=True)
class Bar:
    """A quantity of production and of the branch, and how it changed. Lengths are parts of 1."""

    label: str
    served: str | None
    candidate: str
    served_length: float
    candidate_length: float
    change: Cell


@dataclass(frozen=True)
class Whisker:
    """A ratio and the interval that it lies in, as parts of the axis from ``low`` to ``high``."""

    label: str
    said: Cell
    low: float
    at: float
    high: float


@dataclass(frozen=True)
class Axis:
    """From ``low`` to ``high``, in figures.percent; ``same`` is the part of it where nothing changed."""

    low: str
    high: str
    same: float


@dataclass(frozen=True)
class Section:
    """A part of a model's report. ``bars`` and ``whiskers`` repeat as a picture what ``rows`` say."""

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
    """One model: ``release`` is what becomes of its release version; ``cells`` are its row."""

    name: str
    release: str
    cells: tuple[Cell, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class View:
    """A whole report. ``headline`` stands first."""

    headline: str
    tone: Tone
    heads: tuple[str, ...]
    models: tuple[ModelView, ...]
    lines: tuple[Cell, ...]
    foot: str
    failed: bool = field(default=False)
