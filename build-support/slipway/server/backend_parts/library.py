"""Find the library that a stand-in computes with.

The interpreter of a model's process starts bare, so that the models' own execution environments
never use these packages by accident.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Library:
    """What the server (server/standins.py) tells a stand-in.

    ``release`` is the Triton release that serves in production, ``description`` is for the log.
    """

    release: str
    description: str


def use_library(backend: str) -> Library:
    """Put the packages that the stand-in for ``backend`` needs on ``sys.path``."""
    file = Path(os.environ["SLIPWAY_STANDINS"]) / backend
    site_packages, release, description = file.read_text(encoding="utf-8").splitlines()
    sys.path.insert(1, site_packages)
    return Library(release, description)
