"""The ONNX Runtime in each Triton release, and the newest models that it takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OnnxRuntime:
    """An ONNX Runtime ``version`` that serves from Triton ``release`` on.

    It refuses a model of a newer ``ir_version`` or of a newer opset, in ONNX's own domain or in
    that of classic machine learning.
    """

    release: str
    version: str
    ir_version: int
    opset: int
    ml_opset: int


# The version: build.py of each release's branch of triton-inference-server/server. What it takes:
# seen by loading models of every IR version and opset with each version's wheel; the last ones said
# "max supported IR version" and "official support for domain ai.onnx is till opset".
RUNTIMES = (
    OnnxRuntime("23.01", "1.13", 8, 17, 3),
    OnnxRuntime("23.03", "1.14", 8, 18, 3),
    OnnxRuntime("23.05", "1.15", 9, 19, 3),
    OnnxRuntime("23.09", "1.16", 9, 19, 3),
    OnnxRuntime("24.03", "1.17", 9, 20, 4),
    OnnxRuntime("24.05", "1.18", 10, 21, 5),
    OnnxRuntime("24.08", "1.19", 10, 21, 5),
    OnnxRuntime("24.12", "1.20", 10, 21, 5),
    OnnxRuntime("25.03", "1.21", 10, 22, 5),
    OnnxRuntime("25.05", "1.22", 10, 22, 5),
    OnnxRuntime("25.08", "1.23", 11, 23, 5),
    OnnxRuntime("26.02", "1.24", 13, 25, 5),
    OnnxRuntime("26.07", "1.27", 13, 26, 5),
    OnnxRuntime("26.08", "1.28", 13, 26, 5),
)
NEWEST = "26.08"


def runtime_of(release: str) -> OnnxRuntime | None:
    """Return the ONNX Runtime of a Triton release; ``None`` for a release outside of the table."""
    candidates = [runtime for runtime in RUNTIMES if runtime.release <= release <= NEWEST]
    return candidates[-1] if candidates else None
