"""What a check of one target says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slipway.check.finding import Finding


@dataclass(frozen=True)
class CheckOutcome:
    """The findings of one target; the number of things that ``slipway adopt`` does for a foreign
    model; the backend of each model of a folder; and the code that was too long to interpret."""

    findings: list[Finding]
    adopt: int = 0
    backends: Mapping[str, str] = field(default_factory=dict)
    given_up: Sequence[Path] = ()
