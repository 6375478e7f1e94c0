"""What a checkpoint of treelite says of itself: the numbers before its trees.

Source: treelite, ``src/serializer.cc`` of version 4 (``SerializeHeader``): version, types, numbers of
trees, features, targets and classes, all little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents

HEAD = struct.Struct("<iiiBBQiBBi")
FLOAT32, FLOAT64 = 2, 3
NEWEST_MAJOR = 4
OLDEST_MAJOR = 2
MOST_TREES = 10_000_000


@dataclass(frozen=True)
class CheckpointHead:
    """The first numbers of a checkpoint."""

    version: tuple[int, int, int]
    trees: int
    features: int
    targets: int


def read_head(contents: Contents) -> CheckpointHead | None:
    """Return the head of a checkpoint; ``None`` of anything else."""
    if len(contents.head) < HEAD.size:
        return None
    major, minor, patch, threshold, leaf, trees, features, task, average, targets = (
        HEAD.unpack_from(contents.head)
    )
    is_version = OLDEST_MAJOR <= major <= NEWEST_MAJOR + 4 and 0 <= minor < 100 and 0 <= patch < 100
    if not is_version or threshold not in (FLOAT32, FLOAT64) or leaf not in (1, FLOAT32, FLOAT64):
        return None
    version = (major, minor, patch)
    if major != NEWEST_MAJOR:
        return CheckpointHead(version, 0, 0, 0)  # its other numbers are elsewhere
    counts = 0 < trees < MOST_TREES and features > 0 and task < 5 and average < 2 and targets > 0
    return CheckpointHead(version, trees, features, targets) if counts else None


def require_known(head: CheckpointHead, path: Path) -> None:
    """Require a version that the lock's treelite and FIL of today's releases read.

    Raises:
        SlipwayError: it is of another major version.
    """
    if head.version[0] != NEWEST_MAJOR:
        version = ".".join(map(str, head.version))
        what = f"a checkpoint of treelite {version}; known is version {NEWEST_MAJOR}"
        fix = f"write it again: treelite {NEWEST_MAJOR}'s load_xgboost_model(…).serialize(…)"
        raise SlipwayError(what, where=str(path), fix=fix)
