"""Which backends a server on this machine has, and where the others can be tested."""

from __future__ import annotations

from slipway.server.source import REPOSITORY, Source
from slipway.settings import Settings

# what server/backends.py prepares of the wheel: its own Python backend, and ours for ONNX
OF_WHEEL = frozenset({"python", "onnxruntime"})
NEEDS_GPU = {"tensorrt"}


def available_backends(source: Source) -> frozenset[str] | None:
    """Return the names of the backends of ``source``; ``None`` where only a load tells."""
    if source.kind == "wheel":
        return OF_WHEEL
    folder = source.program.parent.parent / "backends"  # as in NVIDIA's container
    if source.kind == "path" and folder.is_dir():
        return frozenset(path.name for path in folder.iterdir())
    return None


def where_to_test(backend: str, settings: Settings) -> str:
    """Return how a model of ``backend``, which the server here lacks, can be tested."""
    image = settings.docker_image or f"{REPOSITORY}:{settings.triton_release}-py3"
    gpu = " on a machine with a GPU" if backend in NEEDS_GPU else ""
    return (
        f"test it{gpu} with Docker (docker pull {image}), or inside that image, where tritonserver"
        " is on PATH; or convert the model to ONNX"
    )
