"""Estimate how large an artifact will be, and how long an endpoint will take to load it.

The rates were measured on two shared cores, the median of three. ONNX Runtime 1.21 opened a graph
of 200 MB at 350 to 610 MB/s. GNU tar extracted a ``tar.gz`` of it, which does not compress, at 53
to 88 MB/s, and 5,000 small files at 2,000 to 5,200 a second. The network's rate is an assumption:
a tenth of the 10 Gbit/s that the smaller instance types reach at best.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from slipway.check.model_files import POINTER
from slipway.check.model_under_check import ModelUnderCheck
from slipway.environment import modules
from slipway.environment.locking.sizes import WheelSize, read_sizes
from slipway.errors import SlipwayError
from slipway.model.folder import LEFT_OUT_ENDINGS
from slipway.unchanged import remembered

# bytes a second, and files
DOWNLOAD, EXTRACT, OPEN, FILES = 125e6, 80e6, 400e6, 2000
START = 0.3  # seconds: an ensemble of small models with explicit configs
# of the interpreter in an environment's archive: that with numpy alone, less numpy's wheel
INTERPRETER = WheelSize(wheel=8_500_000, unpacked=19_000_000, files=60)


@dataclass(frozen=True)
class EnvironmentSize:
    """Bytes of an environment's archive, and bytes and number of the files in it."""

    size: int
    unpacked: int
    files: int


@dataclass(frozen=True)
class Projection:
    """``weights`` are bytes by file or pointer.

    ``environment`` is that which was built, otherwise an estimate from the sizes in its lock; None
    for a model without one, or a lock of an older Slipway.
    """

    weights: Mapping[Path, int]
    environment: EnvironmentSize | None

    @property
    def size(self) -> int:
        """Return the bytes of the artifact; weights hardly compress."""
        return sum(self.weights.values()) + (self.environment.size if self.environment else 0)

    @property
    def seconds(self) -> float:
        """Return the seconds from the first call until the model is downloaded and loaded."""
        bytes_, environment = sum(self.weights.values()), self.environment
        unpacked = bytes_ + (environment.unpacked if environment else 0)
        files = environment.files if environment else 0
        return START + self.size / DOWNLOAD + unpacked / EXTRACT + files / FILES + bytes_ / OPEN


@lru_cache(maxsize=1)
def project(model: ModelUnderCheck) -> Projection:
    """Return the projected size and load time of the model folder's artifact."""
    sizes: dict[Path, int] = {}
    for path in model.files():
        if path.suffix == POINTER and path.is_file():
            sizes[path] = _pointed_size(model, path)
        elif path.is_file() and not path.name.endswith(LEFT_OUT_ENDINGS) and not _is_tracked(path):
            sizes[path] = path.stat().st_size
    return Projection(sizes, _environment(model) if model.modules else None)


def _environment(model: ModelUnderCheck) -> EnvironmentSize | None:
    built = modules.cached_environment(model.lock, model.settings)
    if built is not None:
        return EnvironmentSize(built.size, built.unpacked, built.files)
    wheels = list(read_sizes(model.lock).values())
    if not wheels:
        return None
    wheels.append(INTERPRETER)
    return EnvironmentSize(
        size=sum(wheel.wheel for wheel in wheels),
        unpacked=sum(wheel.unpacked or wheel.wheel for wheel in wheels),
        files=sum(wheel.files or 0 for wheel in wheels),
    )


def _is_tracked(path: Path) -> bool:
    """Return whether a file, or a folder that holds it, has a pointer."""
    return os.path.exists(f"{path}{POINTER}") or _is_in_tracked_folder(path.parent)


@remembered
def _is_in_tracked_folder(folder: Path) -> bool:
    return folder != folder.parent and _is_tracked(folder)


def _pointed_size(model: ModelUnderCheck, pointer: Path) -> int:
    try:
        return model.pointer(pointer).size or 0
    except SlipwayError:
        return 0  # another rule reports a malformed pointer
