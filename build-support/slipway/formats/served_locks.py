"""Which environment answers as a backend will: the lock of its program, at a near version."""

from __future__ import annotations

from pathlib import Path

from slipway.triton.onnx_runtimes import NEWEST, runtime_of

LOCKS = Path(__file__).parent / "locks"
UNTESTABLE = {"tensorrt": "a TensorRT engine needs the GPU that it was built for"}


def lock_of_backend(backend: str, triton: str, conversion: Path) -> Path:
    """Return the lock of what answers as ``backend`` on the release ``triton``.

    ONNX Runtime has one for each version, of which the nearest is taken. The other backends answer
    in the environment of the conversion, which has their program.
    """
    if backend != "onnxruntime":
        return conversion
    runtime = runtime_of(triton) or runtime_of(NEWEST)
    assert runtime is not None
    wanted = _minor(runtime.version)
    locks = {_minor(lock.stem.partition("-")[2]): lock for lock in LOCKS.glob("onnxruntime-*.txt")}
    return locks[min(locks, key=lambda minor: (abs(minor - wanted), minor))]


def _minor(version: str) -> int:
    return int(version.split(".")[1])
