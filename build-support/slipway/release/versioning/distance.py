"""Measure how far the release in staging is from the one in production."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import semver

from slipway.catalog.served import ReleaseFacts
from slipway.release.versioning.commit_counts import count_commits

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


def measure_distances(
    root: Path, pairs: Mapping[str, tuple[ReleaseFacts, ReleaseFacts]]
) -> dict[str, Distance]:
    """Return the distance from production's release to staging's, of each model in ``pairs``, whose
    second one is production's. The models' repository is at ``root``."""
    found = {name: _compare(*pair) for name, pair in pairs.items()}
    commits = {
        name: (new, old)
        for name, distance in found.items()
        if distance.state != "same"
        for new, old in [tuple(_commit_digits(one.commit) for one in pairs[name])]
        if new is not None and old is not None
    }
    counts = count_commits(root, commits)
    return {
        name: Distance(distance.state, *counts[name]) if name in counts else distance
        for name, distance in found.items()
    }


def _compare(staging: ReleaseFacts, production: ReleaseFacts) -> Distance:
    if staging.sha256 == production.sha256:
        return Distance("same", 0, 0)
    new, old = (semver.Version.parse(facts.version) for facts in (staging, production))
    return Distance("same version" if new == old else "ahead" if new > old else "behind")


def _commit_digits(commit: str | None) -> str | None:
    digits = (commit or "").partition("-")[0]
    return digits if COMMIT.fullmatch(digits) else None
