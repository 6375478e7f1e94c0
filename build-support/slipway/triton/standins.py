"""The libraries that stand in, on this machine, for native backends that no package index has.

Each backend is served here by a Python-based one, with the library that the native backend is made
of: at the version of the release that serves, or at the nearest one that there is a lock of. The
versions of OpenVINO: Triton server, build.py (standalone OpenVINO) of each branch from r23.12 to
r26.08. PyTorch is one version for all releases: NVIDIA's own builds are on no index, and
TorchScript reads the files of other versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.triton.image.forest_libraries import LIBRARIES

LOCKS = Path(__file__).with_name("locks")
# by the first release that has the version
TREELITE = {library.release: library.version for library in LIBRARIES}
OPENVINO = {
    "00.00": "2023.3.0",
    "24.10": "2024.4.0",
    "24.12": "2024.5.0",
    "25.02": "2025.0.0",
    "25.05": "2025.1.0",
    "25.08": "2025.2.0",
    "25.09": "2025.3.0",
    "25.12": "2025.4.0",
    "26.01": "2025.4.1",
    "26.03": "2026.0.0",
    "26.04": "2026.1.0",
    "26.06": "2026.2.0",
    "26.08": "2026.3.0",
}
PROGRAMS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "fil": ("treelite", TREELITE),
    "openvino": ("openvino", OPENVINO),
    "pytorch": ("torch", {}),
}
STANDINS = frozenset(PROGRAMS)


@dataclass(frozen=True)
class StandIn:
    """The library that computes the answers of a backend here.

    ``version`` is what is installed of it, from ``lock``; ``native`` is what the release's backend
    has, "" if that is not known.
    """

    backend: str
    library: str
    version: str
    native: str
    lock: Path

    def __str__(self) -> str:
        other = f", for {self.native}" if self.native not in ("", self.version) else ""
        return f"{self.backend}: Slipway's own, {self.library} {self.version}{other}"


def stand_in(backend: str, release: str) -> StandIn:
    """Return the library that stands in for ``backend`` (of ``STANDINS``) of ``release``."""
    library, natives = PROGRAMS[backend]
    first = max((first for first in natives if first <= release), default="")
    native = natives[first] if first else ""
    locked = sorted(locked_versions(backend), key=_numbers)
    # a version that is not newer than the native one refuses what that refuses
    older = [version for version in locked if not native or _numbers(version) <= _numbers(native)]
    version = older[-1] if older else locked[0]
    return StandIn(backend, library, version, native, LOCKS / f"{backend}-{version}.txt")


def newest_lock(backend: str) -> Path:
    """Return the lock of the newest version of the library of ``backend``."""
    version = max(locked_versions(backend), key=_numbers)
    return LOCKS / f"{backend}-{version}.txt"


def locked_versions(backend: str) -> list[str]:
    """Return the versions of the library of ``backend`` that there are locks of."""
    return [path.stem.removeprefix(f"{backend}-") for path in LOCKS.glob(f"{backend}-*.txt")]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
