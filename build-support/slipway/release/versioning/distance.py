"""Measure how far the release in staging is from the one in production."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import semver

from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.process import run

COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True)
class Distance:
    """The distance from production's release to staging's.

    ``state`` is ``same`` for equal bytes; otherwise it compares staging's version with
    production's. ``commits`` is the number of commits to the model that only staging's release
    has, ``missing`` of those that only production's has. Both are ``None`` if this checkout lacks
    the commits.
    """

    state: Literal["same", "ahead", "behind", "same version"]
    commits: int | None = None
    missing: int | None = None


def measure_distance(root: Path, staging: Record, production: Record) -> Distance:
    """Return the distance from ``production`` to ``staging``, two releases of one model, whose
    repository is at ``root``."""
    if staging.sha256 == production.sha256:
        return Distance("same", 0, 0)
    new, old = (semver.Version.parse(record.version) for record in (staging, production))
    state: Literal["ahead", "behind", "same version"] = (
        "same version" if new == old else "ahead" if new > old else "behind"
    )
    counts = _commits(root, staging, production)
    return Distance(state, *counts) if counts is not None else Distance(state)


def _commits(root: Path, staging: Record, production: Record) -> tuple[int, int] | None:
    new, old = (_commit_digits(record.commit) for record in (staging, production))
    if new is None or old is None:
        return None
    try:
        counts = run(
            ["git", "-C", str(root), "rev-list", "--count", "--left-right", "--no-merges"]
            + [f"{new}...{old}", "--", str(root / "models" / staging.name)],
            what="counting the commits between two releases",
        ).stdout.split()
        return int(counts[0]), int(counts[1])
    except (SlipwayError, ValueError, IndexError):
        return None  # no git, or a shallow clone


def _commit_digits(commit: str | None) -> str | None:
    digits = (commit or "").partition("-")[0]
    return digits if COMMIT.fullmatch(digits) else None
