"""What a check finds, where, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, order=True)
class Location:
    """A file or folder; ``line`` and ``column`` count from 1, and 0 means the file as a unit."""

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


@dataclass(frozen=True)
class Create:
    """Write the new file ``path``; its folder exists, and the file does not."""

    path: Path
    text: str


@dataclass(frozen=True)
class Lock:
    """Lock the requirements of a model folder again, which may need the package index."""

    requirements: Path


type Fix = Edit | Move | Remove | Create | Lock


@dataclass(frozen=True)
class RuleHit:
    """The result of a rule: ``what`` is wrong at ``location``, and how to ``fix`` it.

    ``fixes`` are the changes that ``--fix`` makes. They never change what a valid model answers.
    """

    location: Location
    what: str
    fix: str
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A :class:`RuleHit` with its rule's id, name, severity, reason and source."""

    rule: str
    name: str
    severity: Severity
    location: Location
    what: str
    why: str
    fix: str
    fixes: tuple[Fix, ...] = ()

    @property
    def key(self) -> tuple[Location, str, str]:
        """Return the sort key: findings are reported in the order of their locations."""
        return (self.location, self.rule, self.what)
