"""What one run of check found."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from slipway.check.finding import Finding, Place, Severity


@dataclass(frozen=True)
class Report:
    """The findings of each model that was looked at; ``root`` is the repository's folder."""

    root: Path
    by_model: Mapping[Path, Sequence[Finding]]

    @cached_property
    def findings(self) -> list[Finding]:
        """All of them, model by model."""
        return [finding for found in self.by_model.values() for finding in found]

    def count(self, severity: Severity) -> int:
        """How many findings have this severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def path(self, finding: Finding) -> str:
        """A finding's file or folder by its path in the repository."""
        return Path(os.path.relpath(finding.place.file, self.root)).as_posix()


def from_here(place: Place) -> Place:
    """A place by its path from the current directory, if it lies below that."""
    relative = Path(os.path.relpath(place.file))
    return place if ".." in relative.parts else replace(place, file=relative)
