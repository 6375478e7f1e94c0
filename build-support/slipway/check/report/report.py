"""The findings of one run of ``slipway check``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from slipway.check.finding import Finding, Location, Severity


@dataclass(frozen=True)
class CheckReport:
    """The findings of each checked model; ``root`` is the folder of the checkout.

    ``adopt`` is the number of things that ``slipway adopt`` does for foreign models.
    """

    root: Path
    by_model: Mapping[Path, Sequence[Finding]]
    adopt: int = 0

    @cached_property
    def findings(self) -> list[Finding]:
        """Return all findings, model by model."""
        return [finding for findings in self.by_model.values() for finding in findings]

    def count(self, severity: Severity) -> int:
        """Return how many findings have this severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def path(self, finding: Finding) -> str:
        """Return the path of a finding's file or folder in the checkout."""
        return Path(os.path.relpath(finding.location.file, self.root)).as_posix()


def relative_location(location: Location) -> Location:
    """Return a location with its path relative to the current directory, if it is below that."""
    relative = Path(os.path.relpath(location.file))
    return location if ".." in relative.parts else replace(location, file=relative)
