"""Which backends a server on this machine has, and where the others can be tested."""

from __future__ import annotations

import re

from slipway.server.source import REPOSITORY, Source
from slipway.settings import Settings
from slipway.triton.image.backends import BACKENDS, LAST_RELEASE, NEEDS_GPU, OTHER_IMAGES
from slipway.triton.standins import STANDINS

# what server/backends.py prepares of the wheel: its own Python backend, and Slipway's for others
OF_WHEEL = frozenset({"python", "onnxruntime", *STANDINS})
# a platform of the backend pytorch, whose files no server here opens
COMPILED = "torch_aoti"
# NVIDIA's own images, whose backends are known
IMAGE = re.compile(rf"{re.escape(REPOSITORY)}:(?P<release>\d\d\.\d\d)-py3")


def available_backends(source: Source) -> frozenset[str] | None:
    """Return the names of the backends of ``source``; ``None`` where only a load tells."""
    if source.kind == "wheel":
        return OF_WHEEL
    folder = source.program.parent.parent / "backends"  # as in NVIDIA's container
    if source.kind == "path" and folder.is_dir():
        return frozenset(path.name for path in folder.iterdir())
    image = IMAGE.fullmatch(source.image or "")
    if source.kind == "docker" and image is not None:
        later = {name for name, last in LAST_RELEASE.items() if image["release"] <= last}
        return BACKENDS | later
    return None


def lacks(source: Source, backend: str) -> str | None:
    """Return what ``source`` lacks to serve models of ``backend`` here; ``None`` if nothing that is
    known."""
    available = available_backends(source)
    if backend == COMPILED:
        if source.kind == "wheel":
            return "no PyTorch that opens files of AOTInductor, which are compiled for a processor"
        backend = "pytorch"
    if available is not None and backend not in available:
        return f"no backend {backend!r}"
    if backend in NEEDS_GPU:
        from slipway.server import command  # how a server starts: not at every check

        if not command.has_gpu():
            return f"no GPU, which the backend {backend!r} needs"
    return None


def where_to_test(backend: str, name: str, settings: Settings) -> str:
    """Return how the model ``name`` of ``backend``, which cannot be served here, can be tested."""
    release = settings.triton_release
    last = LAST_RELEASE.get(backend, release)
    image = settings.docker_image or OTHER_IMAGES.get(
        backend, REPOSITORY + ":{release}-py3"
    ).format(release=min(release, last))
    gpu = " with a GPU" if backend in NEEDS_GPU else ""
    return (
        f"test it on a machine{gpu} that has Docker (docker pull {image}), or inside that image,"
        f" where tritonserver is on PATH: slipway test {name} --record {name}.tests.json; then"
        f" slipway promote {name} --tests {name}.tests.json here. Or convert the model to ONNX"
    )
