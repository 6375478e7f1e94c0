"""What answers as a backend will: its modules, and the lock of its program at a near version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from slipway.server.backend_files import modules_of
from slipway.triton.image.onnx_runtimes import NEWEST, runtime_of
from slipway.triton.standins import STANDINS, stand_in

LOCKS = Path(__file__).parent / "locks"
UNTESTABLE = {"tensorrt": "a TensorRT engine needs the GPU that it was built for"}
STANDIN = "standin"  # the module that runs one


@dataclass(frozen=True)
class Serving:
    """``module`` of ``served/`` answers in the environment of ``lock``; ``library`` are further
    modules that it imports, by their path in the library. ``stand_in`` describes what computes."""

    lock: Path
    module: str
    library: Mapping[str, bytes] = field(default_factory=dict)
    stand_in: str = ""
    release: str = ""


def serving_of(backend: str, triton: str, conversion: Path) -> Serving:
    """Return what answers as ``backend`` on the release ``triton``.

    ONNX Runtime has a lock for each version, of which the nearest is taken; native backends are
    answered for by those that stand in for them on a local server. A Python model answers in the
    environment of its ``conversion``.
    """
    if backend in STANDINS:
        standing = stand_in(backend, triton)
        library = modules_of(backend)
        return Serving(standing.lock, STANDIN, library, str(standing), triton)
    if backend != "onnxruntime":
        return Serving(conversion, backend)
    runtime = runtime_of(triton) or runtime_of(NEWEST)
    assert runtime is not None
    wanted = _minor(runtime.version)
    locks = {_minor(lock.stem.partition("-")[2]): lock for lock in LOCKS.glob("onnxruntime-*.txt")}
    nearest = min(locks, key=lambda minor: (abs(minor - wanted), minor))
    return Serving(locks[nearest], backend)


def _minor(version: str) -> int:
    return int(version.split(".")[1])
