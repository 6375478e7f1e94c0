"""Which numpy a model's environment has, as far as its lock says."""

from __future__ import annotations

import re
from pathlib import Path

from slipway.unchanged import read_text

NUMPY = re.compile(r"^numpy==(\d+)", re.MULTILINE)


def has_numpy_2(lock: Path) -> bool | None:
    """Return whether the locked numpy is 2 or later; ``None`` if none is locked."""
    try:
        locked = NUMPY.search(read_text(lock))
    except OSError:
        return None
    return None if locked is None else int(locked[1]) >= 2
