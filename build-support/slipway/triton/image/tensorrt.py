"""Which TensorRT a release of Triton has: an engine is served by the version that built it only.

Source of a version: NVIDIA's Frameworks Support Matrix and the release's notes,
https://docs.nvidia.com/deeplearning/frameworks/support-matrix/. Only releases whose version was
read are here; of others nothing is known, and nothing is refused.
"""

from __future__ import annotations

MATRIX = "https://docs.nvidia.com/deeplearning/frameworks/support-matrix/"
VERSIONS = {"24.03": "8.6.3", "24.05": "10.0.1.6", "24.12": "10.7.0.23"}


def differs(engine: str, release: str) -> bool | None:
    """Return whether an engine of a TensorRT version is not one of ``release``; ``None`` where the
    release's is not known. Where one of both is longer, the rest is not compared."""
    known = VERSIONS.get(release)
    if known is None:
        return None
    pairs = zip(engine.split("."), known.split("."), strict=False)
    return any(one != other for one, other in pairs)
