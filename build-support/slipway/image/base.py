"""The image below a model's own layers: fetched or read, and checked before anything is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.cache import mark_used, trim_above_limit
from slipway.environment.platforms import uv_platform
from slipway.errors import SlipwayError
from slipway.files import atomic_write, cache_dir, locked
from slipway.image import skopeo
from slipway.image.layout import INDEX_TYPE, LAYER_TYPE, MANIFEST_TYPE, Descriptor, Layout
from slipway.image.references import Base, InLayout, InRegistry
from slipway.image.wellformed import find_malformed
from slipway.settings import Settings
from slipway.triton.image.environments import LABEL

CACHE = "images"
ARCHITECTURES = {"linux-64": "amd64", "linux-aarch64": "arm64"}
NAME = "base"
MODEL_LABEL = "io.slipway.model."
# set in NVIDIA's images, with and without SageMaker
TRITON, RELEASE = "TRITON_SERVER_VERSION", "NVIDIA_TRITON_SERVER_VERSION"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
MOST_LAYERS = 127  # of an image that Docker's overlay file system mounts (moby, layer_store.go)


@dataclass(frozen=True)
class BaseImage:
    """An image in ``layout``. ``reference`` is what was asked for, ``digest`` what it was."""

    layout: Layout
    reference: str
    digest: str
    layers: tuple[Descriptor, ...]
    config: Mapping[str, Any]

    @property
    def uri(self) -> str:
        """Return where others find it; empty for a folder of this machine."""
        return self.reference if "://" in self.reference else ""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Return how the image is run: its user, variables, entry point, labels."""
        return self.config.get("config") or {}

    @property
    def variables(self) -> dict[str, str]:
        """Return the image's variables."""
        pairs = (str(entry).partition("=") for entry in self.settings.get("Env") or ())
        return {name: value for name, _, value in pairs}

    @property
    def release(self) -> str | None:
        """Return the release of the Triton in it, such as ``25.04``."""
        return self.variables.get(RELEASE)

    @property
    def environments(self) -> tuple[str, ...]:
        """Return the digests of the execution environments in it."""
        labels = self.settings.get("Labels") or {}
        return tuple(str(labels.get(LABEL, "")).split())


def open_base(base: Base, settings: Settings, authfile: Path | None = None) -> BaseImage:
    """Return the image that ``--base`` names. One of a registry is fetched once.

    Raises:
        SlipwayError: it cannot be had, is damaged, is of another platform than ``slipway.toml``
            names, or holds no Triton.
    """
    uv_platform(settings.platform)  # refuses others
    architecture = ARCHITECTURES[settings.platform]
    if isinstance(base, InLayout):
        layout, reference = Layout(base.path), f"oci:{base.path}"
        descriptor = layout.find(base.name)
    else:
        layout, reference = _fetched(base, architecture, authfile), f"docker://{base}"
        descriptor = layout.find(NAME)
    image = _read(layout, reference, descriptor, architecture)
    _refuse_unsuitable(image, architecture)
    return image


def _fetched(base: InRegistry, architecture: str, authfile: Path | None) -> Layout:
    digest = base.digest or skopeo.fetch_digest(base, authfile)
    folder = cache_dir(CACHE) / f"{digest.removeprefix('sha256:')}-{architecture}"
    if not folder.is_dir():
        with locked(folder.with_name(f"{folder.name}.guard")):
            if not folder.is_dir():
                pinned = InRegistry(base.host, base.repository, None, digest)
                with atomic_write(folder) as aside:
                    skopeo.fetch(pinned, f"oci:{aside}:{NAME}", architecture, authfile)
                trim_above_limit()
    mark_used(folder)
    return Layout(folder)


def _read(layout: Layout, reference: str, descriptor: Descriptor, architecture: str) -> BaseImage:
    if descriptor.get("mediaType") == INDEX_TYPE:  # an image of several platforms
        listed = layout.read_json(descriptor).get("manifests")
        wanted = {"os": "linux", "architecture": architecture}
        choices = [
            entry
            for entry in (listed if isinstance(listed, list) else ())
            if isinstance(entry, dict)
            and isinstance(entry.get("platform"), dict)
            and wanted.items() <= entry["platform"].items()
        ]
        if len(choices) != 1:
            raise SlipwayError(
                f"it has {len(choices)} images for linux/{architecture}",
                where=reference,
                fix="choose another base, or set [environment] platform in slipway.toml",
            )
        descriptor = choices[0]
    manifest = layout.read_json(descriptor)
    if manifest.get("mediaType", MANIFEST_TYPE) != MANIFEST_TYPE or "config" not in manifest:
        raise SlipwayError(
            "not an image of the OCI format",
            where=reference,
            fix="convert it: skopeo copy --format=oci …",
        )
    config = layout.read_json(manifest["config"]) if isinstance(manifest["config"], dict) else {}
    malformed = find_malformed(manifest, config)
    if malformed is not None:
        raise SlipwayError(
            f"its {malformed} has not the form of the OCI's specification",
            where=reference,
            fix="write or fetch it again",
        )
    layers = tuple(
        {**layer, "mediaType": LAYER_TYPE} if layer.get("mediaType") == DOCKER_LAYER else layer
        for layer in manifest.get("layers", [])
    )
    ids = config["rootfs"]["diff_ids"]
    if len(ids) != len(layers):
        raise SlipwayError(
            f"its config names {len(ids)} layers, its manifest {len(layers)}",
            where=reference,
            fix="write or fetch it again",
        )
    return BaseImage(layout, reference, str(descriptor["digest"]), layers, config)


def _refuse_unsuitable(image: BaseImage, architecture: str) -> None:
    found = f"{image.config.get('os')}/{image.config.get('architecture')}"
    if found != f"linux/{architecture}":
        raise SlipwayError(
            f"it is for {found}, the environments are for linux/{architecture}",
            where=image.reference,
            fix="choose another base, or set [environment] platform in slipway.toml",
        )
    if TRITON not in image.variables:
        raise SlipwayError(
            f"no image of a Triton server: it has no variable {TRITON}, as NVIDIA's have",
            where=image.reference,
            fix="take docker://nvcr.io/nvidia/tritonserver:RELEASE-py3 or SageMaker's image;"
            f" a base of your own sets {TRITON} and {RELEASE}",
        )
    if any(label.startswith(MODEL_LABEL) for label in image.settings.get("Labels") or {}):
        raise SlipwayError(
            "it has models already, whose files would be mixed with the new ones",
            where=image.reference,
            fix="take the base that it was made on, and name all models: slipway image NAME NAME…",
        )
