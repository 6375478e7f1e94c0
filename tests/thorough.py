"""How often a law is tried: in each pipeline a part, and everything with ``SLIPWAY_THOROUGH=1``."""

from __future__ import annotations

import os

THOROUGH = os.environ.get("SLIPWAY_THOROUGH") == "1"


def examples(all_of_them: int, part: int) -> int:
    """Return how many examples to try."""
    return all_of_them if THOROUGH else part
