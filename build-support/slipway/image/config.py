"""How an image is run: the program, its user, its variables, ports and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import slipway
from slipway.image.base import MODEL_LABEL, BaseImage
from slipway.image.layer import Layer, writing_layer
from slipway.image.layout import Layout
from slipway.image.models import ImageModel
from slipway.settings import Settings
from slipway.triton.image.environments import LABEL

ENTRY = "/opt/slipway/serve"
SCRIPT = Path(__file__).with_name("serve.sh")
# of NVIDIA's images; it makes the driver's libraries match, and runs what follows
NVIDIA_ENTRY = "/opt/nvidia/nvidia_entrypoint.sh"
USER = "1000:1000"  # triton-server in NVIDIA's images
PORTS = ("8000", "8001", "8002", "8080")  # HTTP, gRPC, metrics, SageMaker
CREATED = "1980-01-01T00:00:00Z"  # of every member, too: equal inputs, equal digest
TITLES = "org.opencontainers.image."
# a container of an endpoint of several has to listen where SAGEMAKER_BIND_TO_PORT says
MULTI_MODEL = "com.amazonaws.sagemaker.capabilities.multi-models"
BIND = "com.amazonaws.sagemaker.capabilities.accept-bind-to-port"


def write_entry(layout: Layout) -> Layer:
    """Write the layer of the program that the image starts."""
    with writing_layer(layout, f"slipway {slipway.__version__}") as layer:
        layer.writer.add_bytes(ENTRY[1:], SCRIPT.read_bytes(), 0o755)
    return layer.layer


def describe(models: Sequence[ImageModel], base: BaseImage, source: str | None) -> dict[str, str]:
    """Return the labels of an image of ``models``: OCI's, and each model's artifact.

    ``source`` is the address of the repository. Of several models, what differs is in their own
    labels only.
    """
    labels = {
        f"{TITLES}title": " ".join(model.name for model in models),
        f"{TITLES}base.digest": base.digest,
        f"{TITLES}base.name": base.uri.partition("://")[2],
        f"{TITLES}source": source or "",
        f"{TITLES}version": _common([model.manifest.version for model in models]),
        f"{TITLES}revision": _common([model.commit or "" for model in models]),
    }
    if models:
        labels[BIND] = "true"
    for model in models:
        own = f"{MODEL_LABEL}{model.name}."
        labels |= {
            f"{own}version": model.manifest.version,
            f"{own}sha256": model.contents.sha256,
            f"{own}revision": model.commit or "",
            f"{own}serves": model.manifest.serves,
        }
    return {key: value for key, value in labels.items() if value}


def dump_config(
    base: BaseImage,
    layers: Sequence[Layer],
    labels: Mapping[str, str],
    environments: Sequence[str],
    run: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the config of an image: the base's, with more layers and labels.

    ``environments`` are the digests of those in the image. ``run`` replaces how the base is run;
    with ``None`` it is run as before.
    """
    settings = dict(base.settings) | dict(run or {})
    inherited = {
        key: value
        for key, value in (settings.get("Labels") or {}).items()
        if not key.startswith(TITLES) and (run is None or key != MULTI_MODEL)
    }
    settings["Labels"] = {**inherited, **labels}
    if environments:
        settings["Labels"][LABEL] = " ".join(environments)
    history = [*(base.config.get("history") or [])]
    history += [{"created": CREATED, "created_by": f"slipway image: {x.purpose}"} for x in layers]
    ids = [*base.config["rootfs"]["diff_ids"], *(layer.diff_id for layer in layers)]
    kept = ("architecture", "os", "variant", "os.version", "os.features")
    return {
        **{key: base.config[key] for key in kept if key in base.config},
        "created": CREATED,
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": ids},
        "history": history,
    }


def serving(base: BaseImage, serves: Sequence[str], settings: Settings) -> dict[str, Any]:
    """Return how an image with models is run: without root, and with nothing to be written but
    ``/tmp`` and ``/dev/shm``."""
    variables = base.variables | {
        "HOME": "/tmp",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SLIPWAY_EXPLICIT_TENSORS": str(settings.explicit_tensors).lower(),
        "SLIPWAY_SERVES": " ".join(serves),
        "TMPDIR": "/tmp",
    }
    entry = base.settings.get("Entrypoint") or []
    return {
        "Cmd": ["serve"],
        "Entrypoint": [NVIDIA_ENTRY, ENTRY] if entry == [NVIDIA_ENTRY] else [ENTRY],
        "Env": [f"{name}={value}" for name, value in variables.items()],
        "ExposedPorts": {f"{port}/tcp": {} for port in PORTS},
        # of Docker's extension of the format (moby/docker-image-spec); times are in nanoseconds
        "Healthcheck": {
            "Test": ["CMD", ENTRY, "healthy"],
            "Interval": 10_000_000_000,
            "Timeout": 6_000_000_000,
            "StartPeriod": 300_000_000_000,
            "Retries": 3,
        },
        "StopSignal": "SIGTERM",
        "User": USER,
        "WorkingDir": "/",
    }


def _common(values: Sequence[str]) -> str:
    return values[0] if len(set(values)) == 1 else ""
