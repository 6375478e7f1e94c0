"""How large an artifact will be, and how long an endpoint will take to load it: a rough estimate.

The rates were measured on two shared cores, the median of three: a graph of 200 MB opened by ONNX
Runtime 1.21 at 350 to 610 MB/s; a ``tar.gz`` of it, which does not compress, extracted by GNU tar at
53 to 88 MB/s; 5,000 small files at 2,000 to 5,200 a second. What the network gives is an assumption:
a tenth of the 10 Gbit/s that the smaller instance types promise at their best.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from slipway.check.model_files import POINTER
from slipway.check.subject import Subject
from slipway.environment import Environment, modules
from slipway.errors import SlipwayError
from slipway.model import weights
from slipway.model.folder import LEFT_OUT_ENDINGS

# bytes a second, and files
DOWNLOAD, EXTRACT, OPEN, FILES = 125e6, 80e6, 400e6, 2000
START = 0.3  # seconds: an ensemble of small models with explicit configs


@dataclass(frozen=True)
class Projection:
    """``weights`` are bytes by the file or pointer; the environment is known once it was built."""

    weights: Mapping[Path, int]
    environment: Environment | None

    @property
    def size(self) -> int:
        """Bytes of the artifact; weights hardly compress."""
        return sum(self.weights.values()) + (self.environment.size if self.environment else 0)

    @property
    def seconds(self) -> float:
        """From an endpoint's first call to the model's being ready: download, extract, open."""
        bytes_, made = sum(self.weights.values()), self.environment
        unpacked = bytes_ + (made.unpacked if made else 0)
        files = made.files if made else 0
        return START + self.size / DOWNLOAD + unpacked / EXTRACT + files / FILES + bytes_ / OPEN


@lru_cache(maxsize=1)
def project(subject: Subject) -> Projection:
    """What the model folder will weigh."""
    sizes: dict[Path, int] = {}
    for path in subject.files():
        if path.suffix == POINTER and path.is_file():
            sizes[path] = _pointed(path)
        elif path.is_file() and not path.name.endswith(LEFT_OUT_ENDINGS):
            if not any(_pointer(each).exists() for each in (path, *path.parents)):
                sizes[path] = path.stat().st_size
    environment = modules.built(subject.lock, subject.settings) if subject.modules else None
    return Projection(sizes, environment)


def _pointer(path: Path) -> Path:
    return path.parent / (path.name + POINTER)


def _pointed(pointer: Path) -> int:
    try:
        return weights.read(pointer).size or 0
    except SlipwayError:
        return 0  # a malformed pointer is another rule's
