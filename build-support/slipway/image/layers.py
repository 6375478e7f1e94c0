"""Split artifacts into layers of an image: environment, weights, code.

Every file is the artifact's, byte for byte. Only the environment is elsewhere, in a layer that all
models with it share; where the artifact has its folder, the image has a link to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, BinaryIO, Literal, cast

from slipway.archive.reader import open_tar, regular_files
from slipway.artifact.contents import Contents
from slipway.artifact.manifest import Manifest
from slipway.errors import SlipwayError
from slipway.image.layer import Layer, LayerInProgress, writing_layer
from slipway.image.layout import Layout
from slipway.triton.image.environments import image_path

MODELS = "opt/slipway/models"

type Part = Literal["environment", "weights", "code"]


@dataclass(frozen=True)
class ModelLayers:
    """The layers of one model. ``environment`` is ``None`` if it was not asked for, or there is
    none in the artifact."""

    environment: Layer | None
    weights: Layer | None
    code: Layer


@dataclass(frozen=True)
class _Member:
    """A file of an artifact, by its name in the artifact, or in the environment."""

    part: Part
    name: str
    stream: IO[bytes]
    size: int
    mode: int


def environment_digest(manifest: Manifest) -> str | None:
    """Return the SHA-256 by which an artifact's environment is known; ``None`` without one."""
    return None if manifest.environment is None else str(manifest.environment["sha256"])


def write_environment(layout: Layout, contents: Contents) -> Layer:
    """Write the layer of an artifact's execution environment alone.

    Raises:
        SlipwayError: the artifact has none in it.
    """
    digest = environment_digest(contents.manifest)
    if digest is None or not contents.environment_files:
        raise SlipwayError(
            f"{contents.manifest.name} {contents.manifest.version} has no environment in it",
            where=str(contents.path),
            fix="name a model whose artifact has one: slipway inspect shows it",
        )
    with writing_layer(layout, environment_purpose(digest)) as layer:
        for member in _members(contents):
            if member.part == "environment":
                _add(layer, f"{image_path(digest)[1:]}/{member.name}", member)
    return layer.layer


def write_layers(
    layout: Layout, contents: Contents, replaced: Mapping[str, bytes], *, environment: bool
) -> ModelLayers:
    """Write the layers of the artifact ``contents``, in one pass over it.

    ``replaced`` has other bytes for some of its files. ``environment``: whether its environment is
    to be written, too.

    Raises:
        SlipwayError: the artifact is damaged.
    """
    manifest = contents.manifest
    digest = environment_digest(manifest) if contents.environment_files else None
    home, title = f"{MODELS}/{manifest.name}", f"{manifest.name} {manifest.version}"
    parts: dict[Part, LayerInProgress] = {}
    with ExitStack() as stack:

        def begin(part: Part, purpose: str) -> None:
            parts[part] = stack.enter_context(writing_layer(layout, purpose))

        begin("code", f"code of {title}")
        if manifest.weights:
            begin("weights", f"weights of {title}")
        if environment and digest is not None:
            begin("environment", environment_purpose(digest))
        for member in _members(contents):
            if member.part == "environment":
                if digest is not None and "environment" in parts:
                    place = f"{image_path(digest)[1:]}/{member.name}"
                    _add(parts["environment"], place, member)
            elif member.name in replaced:
                place, data = f"{home}/{member.name}", replaced[member.name]
                parts["code"].writer.add_bytes(place, data)
            else:
                _add(parts[member.part], f"{home}/{member.name}", member)
        if digest is not None and manifest.environment is not None:
            link = f"{home}/{manifest.environment['path']}"
            parts["code"].writer.add_link(link, image_path(digest))
    layers = {part: written.layer for part, written in parts.items()}
    return ModelLayers(layers.get("environment"), layers.get("weights"), layers["code"])


def _members(contents: Contents) -> Iterator[_Member]:
    """Yield the files of an artifact in its order. A stream has to be read before the next."""
    manifest = contents.manifest
    home = str(manifest.environment["path"]) if manifest.environment else None
    with open_tar(contents.path) as tar:
        for member, stream in regular_files(tar):
            name = member.name
            if home is not None and name == home:  # the layout "archive": its members instead
                with open_tar(cast(BinaryIO, stream), name) as inner:
                    for each, content in regular_files(inner):
                        yield _Member("environment", each.name, content, each.size, each.mode)
            elif home is not None and name.startswith(f"{home}/"):
                relative = name.removeprefix(f"{home}/")
                yield _Member("environment", relative, stream, member.size, member.mode)
            else:
                part: Part = "weights" if _is_weights(manifest, name) else "code"
                yield _Member(part, name, stream, member.size, member.mode)


def _is_weights(manifest: Manifest, name: str) -> bool:
    return name in manifest.weights or any(
        name.startswith(f"{folder}/") for folder in manifest.weights
    )


def _add(layer: LayerInProgress, place: str, member: _Member) -> None:
    layer.writer.add_stream(place, member.stream, member.size, member.mode)


def environment_purpose(digest: str) -> str:
    """Return the line of an image's history for the layer of an environment."""
    return f"execution environment {digest}"
