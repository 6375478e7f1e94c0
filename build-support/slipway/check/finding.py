"""What a check found, where, and how it is mended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, order=True)
class Place:
    """A file or folder; ``line`` and ``column`` count from 1, and are 0 where the whole is meant."""

    file: Path
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        numbers = [str(number) for number in (self.line, self.column) if number]
        return ":".join([str(self.file), *numbers])


@dataclass(frozen=True)
class Edit:
    """Replace the characters from ``start`` up to ``end`` of ``file`` by ``text``."""

    file: Path
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Move:
    """Rename ``source`` to ``target``, which does not exist."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Remove:
    """Remove the empty directory ``path``."""

    path: Path


type Mend = Edit | Move | Remove


@dataclass(frozen=True)
class Found:
    """What a rule yields: ``what`` is wrong at ``place``, and how to ``fix`` it.

    ``mends`` are what ``--fix`` does about it: only what cannot change what a sound model answers.
    """

    place: Place
    what: str
    fix: str
    mends: tuple[Mend, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A :class:`Found` with its rule's id, name, severity, reason and source."""

    rule: str
    name: str
    severity: Severity
    place: Place
    what: str
    why: str
    fix: str
    mends: tuple[Mend, ...] = ()

    @property
    def key(self) -> tuple[Place, str, str]:
        """Findings are shown in the order of their places."""
        return (self.place, self.rule, self.what)
