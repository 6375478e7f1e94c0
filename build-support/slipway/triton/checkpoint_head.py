"""The first numbers of a checkpoint of treelite, which FIL serves.

Source: treelite, ``src/serializer.cc`` of version 4 (``SerializeHeader``): version, types,
counts of trees, features, targets and classes, all little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEAD = struct.Struct("<iiiBBQiBBiQi")
SIZE = HEAD.size
LAYOUT = 4  # the major version of that layout
LAST_BEFORE = (3, 9)  # the version before, which treelite 4 still reads
VALUE_TYPES = (2, 3)  # TypeInfo: float of 32 and of 64 bits; leaves may be integers, 1
MOST_TREES = 10_000_000


@dataclass(frozen=True)
class CheckpointHead:
    """What a checkpoint's head says; counts are 0 where the version keeps them elsewhere.

    ``classes`` are those of the first target: 1 of a regression, and of two classes in one number.
    """

    version: tuple[int, int, int]
    trees: int = 0
    features: int = 0
    targets: int = 0
    classes: int = 0


def read_checkpoint_head(data: bytes) -> CheckpointHead | None:
    """Return the head of the checkpoint that begins with ``data``; ``None`` of anything else."""
    if len(data) < HEAD.size:
        return None
    numbers = HEAD.unpack_from(data)
    version, threshold, leaf = numbers[:3], numbers[3], numbers[4]
    trees, features, task, average, targets, vector, classes = numbers[5:]
    is_version = 2 <= version[0] < LAYOUT + 4 and all(0 <= part < 100 for part in version[1:])
    if not is_version or threshold not in VALUE_TYPES or leaf not in (1, *VALUE_TYPES):
        return None
    if version[:2] == LAST_BEFORE:
        return CheckpointHead(version, trees, features, 1)
    if version[0] != LAYOUT:
        return CheckpointHead(version)
    counts = 0 < trees < MOST_TREES and features > 0 and 0 < targets == vector and classes > 0
    if not counts or task > 4 or average > 1:
        return None
    return CheckpointHead(version, trees, features, targets, classes)
