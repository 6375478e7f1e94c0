"""How far what staging serves is from what production serves."""

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
    """``same`` are the same bytes; else ``ahead`` compares staging's version with production's.

    ``commits`` touched the model and are in staging's release, not in production's; ``missing``
    the other way round. Both are ``None`` where this checkout does not know the commits.
    """

    state: Literal["same", "ahead", "behind", "same version"]
    commits: int | None = None
    missing: int | None = None


def measure_distance(root: Path, staging: Record, production: Record) -> Distance:
    """How far ``staging`` is from ``production``, two releases of one model whose repository is at
    ``root``."""
    if staging.sha256 == production.sha256:
        return Distance("same", 0, 0)
    here, there = (semver.Version.parse(record.version) for record in (staging, production))
    state: Literal["ahead", "behind", "same version"] = (
        "same version" if here == there else "ahead" if here > there else "behind"
    )
    counted = _commits(root, staging, production)
    return Distance(state, *counted) if counted is not None else Distance(state)


def _commits(root: Path, staging: Record, production: Record) -> tuple[int, int] | None:
    new, old = (_plain(record.commit) for record in (staging, production))
    if new is None or old is None:
        return None
    try:
        counted = run(
            ["git", "-C", str(root), "rev-list", "--count", "--left-right", "--no-merges"]
            + [f"{new}...{old}", "--", str(root / "models" / staging.name)],
            what="counting the commits between two releases",
        ).stdout.split()
        return int(counted[0]), int(counted[1])
    except (SlipwayError, ValueError, IndexError):
        return None  # no git, or a shallow clone


def _plain(commit: str | None) -> str | None:
    digits = (commit or "").partition("-")[0]
    return digits if COMMIT.fullmatch(digits) else None
