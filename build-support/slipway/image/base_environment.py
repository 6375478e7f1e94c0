"""Take the execution environments out of a base image, for a local endpoint that stands for it."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, cast

from slipway.artifact.extract import extract
from slipway.cache import mark_used
from slipway.errors import SlipwayError
from slipway.files import HashingReader, atomic_write, cache_dir, locked
from slipway.image.base import BaseImage
from slipway.image.layers import environment_purpose
from slipway.server.image_environments import CACHE
from slipway.triton.image.environments import image_path


def unpack_environments(base: BaseImage) -> tuple[str, ...]:
    """Unpack the environments of an image into this machine's cache; return their digests.

    Raises:
        SlipwayError: the image has none, or lacks the files of one that it names.
    """
    if not base.environments:
        raise SlipwayError(
            "the image has no execution environment",
            where=base.reference,
            fix="slipway image --base-environment NAME makes one that has",
        )
    for digest in base.environments:
        folder = cache_dir(CACHE) / digest
        with locked(folder.with_name(f"{digest}.guard")):
            if not folder.is_dir():
                with atomic_write(folder) as aside:
                    _unpack(base, digest, aside)
        mark_used(folder)
    return base.environments


def _unpack(base: BaseImage, digest: str, into: Path) -> None:
    layer = str(_layer_of(base, digest)["digest"])
    unpacked = into.with_name("layer")
    with base.layout.blob(layer).open("rb") as file:
        hashing = HashingReader(file)
        extract(cast(BinaryIO, hashing), unpacked, name=layer)
        if f"sha256:{hashing.drain()}" != layer:
            raise _lacking(base, digest)
    place = unpacked / image_path(digest)[1:]
    if not place.is_dir():
        raise _lacking(base, digest)
    place.rename(into)


def _layer_of(base: BaseImage, digest: str) -> dict[str, object]:
    """Return the layer whose line in the history says that it is of the environment."""
    history = base.config.get("history") or []
    written = [line for line in history if not line.get("empty_layer")]
    for line, layer in zip(written, base.layers, strict=False):
        if str(line.get("created_by", "")).endswith(environment_purpose(digest)):
            return layer
    raise _lacking(base, digest)


def _lacking(base: BaseImage, digest: str) -> SlipwayError:
    return SlipwayError(
        f"the image names the environment {digest}, and does not hold it",
        where=base.reference,
        fix="make it again: slipway image --base-environment NAME",
    )
