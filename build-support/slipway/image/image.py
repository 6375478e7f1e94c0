"""Make an image of models, or of their environments, on a base: a layout's blobs and a manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.catalog.origin import Origin
from slipway.errors import SlipwayError
from slipway.image import config
from slipway.image.attached import attach
from slipway.image.base import BaseImage
from slipway.image.layer import Layer
from slipway.image.layers import environment_digest, write_environment, write_layers
from slipway.image.layout import CONFIG_TYPE, MANIFEST_TYPE, Descriptor, Layout, dump
from slipway.image.models import ImageModel
from slipway.image.suitable import refuse_many_layers, refuse_together, refuse_unservable
from slipway.settings import Settings


@dataclass(frozen=True)
class Image:
    """An image ``name`` in ``layout``. ``layers`` are those above the base, ``environments`` the
    digests of all environments in it. ``attached`` documents are listed by the index ``index``."""

    layout: Layout
    name: str
    digest: str
    size: int
    layers: tuple[Layer, ...]
    environments: tuple[str, ...]
    index: str
    attached: int


def make_image(
    layout: Layout,
    name: str,
    models: Sequence[ImageModel],
    base: BaseImage,
    settings: Settings,
    origin: Origin,
    source: str | None = None,
) -> Image:
    """Write the image of ``models`` on ``base`` into ``layout`` as ``name``.

    The first model is the one of SageMaker's ``/invocations``. Models of one environment share its
    layer. Equal inputs give an equal digest; the provenance that is attached has the time.

    Raises:
        SlipwayError: the image would not serve one of them, or its signing key cannot sign.
    """
    refuse_together(models)
    for model in models:
        refuse_unservable(model, base)
    layout.create()
    environments: dict[str, Layer] = {}
    layers: list[Layer] = []
    for model in models:
        digest = environment_digest(model.manifest)
        wanted = digest is not None and digest not in environments
        written = write_layers(layout, model.contents, model.replaced, environment=wanted)
        if written.environment is not None and digest is not None:
            environments[digest] = written.environment
        layers += [layer for layer in (written.weights, written.code) if layer is not None]
    layers = [config.write_entry(layout), *environments.values(), *layers]
    labels = config.describe(models, base, source)
    run = config.serving(base, [model.manifest.serves for model in models], settings)
    known = sorted({*base.environments, *environments})
    values = config.dump_config(base, layers, labels, known, run)
    return _finish(layout, name, models, base, settings, origin, layers, known, values)


def make_base(
    layout: Layout,
    name: str,
    models: Sequence[ImageModel],
    base: BaseImage,
    settings: Settings,
    origin: Origin,
    source: str | None = None,
) -> Image:
    """Write ``base`` with the execution environments of ``models`` into ``layout`` as ``name``.

    It is started as the base is, and has no models: it is the image of a multi-model endpoint whose
    artifacts are code and weights alone.

    Raises:
        SlipwayError: none of the models has an environment, the base would not serve one, or the
            signing key cannot sign.
    """
    for model in models:
        refuse_unservable(model, base)
    layout.create()
    environments: dict[str, Layer] = {}
    for model in models:
        digest = environment_digest(model.manifest)
        if digest is not None and digest not in (*environments, *base.environments):
            environments[digest] = write_environment(layout, model.contents)
    if not environments:
        raise SlipwayError(
            "the base has these environments already, or the models need none",
            where=base.reference,
            fix="name models with Python code of other requirements",
        )
    layers = list(environments.values())
    labels = config.describe([], base, source)
    known = sorted({*base.environments, *environments})
    values = config.dump_config(base, layers, labels, known, None)
    return _finish(layout, name, models, base, settings, origin, layers, known, values)


def _finish(
    layout: Layout,
    name: str,
    models: Sequence[ImageModel],
    base: BaseImage,
    settings: Settings,
    origin: Origin,
    layers: Sequence[Layer],
    environments: Sequence[str],
    values: Mapping[str, Any],
) -> Image:
    """Write config and manifest, attach the evidence, and name the image in the layout."""
    refuse_many_layers(len(base.layers) + len(layers), base)
    for layer in base.layers:
        layout.take(layer, base.layout)
    descriptors = [*base.layers, *(layer.descriptor for layer in layers)]
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": layout.put(dump(values), CONFIG_TYPE),
        "layers": descriptors,
        "annotations": {
            key: value
            for key, value in values["config"]["Labels"].items()
            if key.startswith(config.TITLES)
        },
    }
    platform = {key: values[key] for key in ("architecture", "os", "variant") if key in values}
    image: Descriptor = layout.put(dump(manifest), MANIFEST_TYPE, platform=platform)
    index, documents, count = attach(layout, image, models, base, settings, origin)
    layout.name([(name, image), (index, documents)])
    size = sum(int(descriptor["size"]) for descriptor in descriptors)
    return Image(
        layout, name, image["digest"], size, tuple(layers), tuple(environments), index, count
    )
