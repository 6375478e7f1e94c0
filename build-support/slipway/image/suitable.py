"""What an image of these models on this base would not serve: refused before it is written."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.utils import canonicalize_name

from slipway.errors import SlipwayError
from slipway.image.base import ARCHITECTURES, MOST_LAYERS, RELEASE, BaseImage
from slipway.image.layers import environment_digest
from slipway.image.models import ImageModel
from slipway.settings import FILE_NAME, stub_python
from slipway.triton.image.numpy_support import FIRST_WITH_NUMPY_2, is_supported

LABEL_OF_STUB = "io.slipway.numpy-2"  # of a base whose stub is adapted, as the local server's is


def refuse_together(models: Sequence[ImageModel]) -> None:
    """Refuse models that one Triton cannot serve together.

    Raises:
        SlipwayError: one is for a container of its own, or two have a model of one name.
    """
    owners: dict[str, ImageModel] = {}
    for model in models:
        if model.manifest.container is not None:
            raise SlipwayError(
                f"{model.name} is served by a container of its own, not by Triton",
                where=str(model.contents.path),
                fix="name models of Triton; that container has an image already",
            )
        for part in model.contents.configs:
            other = owners.setdefault(part, model)
            if other is not model:
                raise SlipwayError(
                    f"{other.title} and {model.title} both have a model {part}, and one Triton"
                    " serves one of a name",
                    where=str(model.contents.path),
                    fix="make an image of each",
                )


def refuse_unservable(model: ImageModel, base: BaseImage) -> None:
    """Refuse a model whose environment the Triton of ``base`` would not serve.

    Raises:
        SlipwayError: it is of another Python or platform than the base's, has a numpy with which
            that Triton answers wrongly, or is to be in the base and is not.
    """
    environment = model.manifest.environment
    if environment is None:
        return
    architecture = ARCHITECTURES.get(str(environment["platform"]))
    if architecture != base.config.get("architecture"):
        raise SlipwayError(
            f"the environment of {model.title} is for {environment['platform']},"
            f" the base for {base.config.get('architecture')}",
            where=base.reference,
            fix="choose another base, or set [environment] platform and build again",
        )
    digest = environment_digest(model.manifest)
    if environment["layout"] == "image" and digest not in base.environments:
        raise SlipwayError(
            f"the artifact of {model.title} is without its environment {digest},"
            f" and the base has {', '.join(base.environments) or 'none'}",
            where=base.reference,
            fix=f"slipway image --base-environment {model.name} makes a base that has it",
        )
    if base.release is None:
        return
    python = ".".join(str(environment["python"]).split(".")[:2])
    if python != stub_python(base.release):
        raise SlipwayError(
            f"the environment of {model.title} has Python {python}, and the base's Triton"
            f" {base.release} serves with {stub_python(base.release)}: it would ignore it",
            where=base.reference,
            fix=f"choose a base of another release, or set [triton] release in {FILE_NAME}"
            " and build again",
        )
    for package in environment["packages"]:
        if canonicalize_name(package["name"]) == "numpy":
            adapted = LABEL_OF_STUB in (base.settings.get("Labels") or {})
            if not is_supported(package["version"], base.release, local=adapted):
                raise SlipwayError(
                    f"the environment of {model.title} has numpy {package['version']}, with which"
                    f" the base's Triton {base.release} returns empty tensors",
                    where=base.reference,
                    fix=f"choose a base of {FIRST_WITH_NUMPY_2} or later, or lock numpy<2",
                )


def refuse_many_layers(count: int, base: BaseImage) -> None:
    """Refuse an image of more layers than an engine mounts.

    Raises:
        SlipwayError: there are more than 127.
    """
    if count > MOST_LAYERS:
        raise SlipwayError(
            f"{count} layers, and a container engine mounts at most {MOST_LAYERS}",
            where=base.reference,
            fix="make several images, or serve that many models from a multi-model endpoint",
        )


def describe_unknown(base: BaseImage) -> str | None:
    """Return what could not be compared with the base, if something."""
    if base.release is None:
        return f"the base names no release of Triton ({RELEASE}): its Python was not compared"
    return None
