"""Images of small artifacts, and what is in them."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

from slipway import settings as configuration
from slipway.artifact.contents import read_contents
from slipway.catalog.origin import Origin
from slipway.image.base import open_base
from slipway.image.image import Image, make_base, make_image
from slipway.image.layout import Layout
from slipway.image.models import ImageModel
from slipway.image.references import InLayout
from slipway.settings import Settings
from tests.image.bases import tiny_base

ORIGIN = Origin("c0ffee0" * 5 + "c0ffe", None, "dev")


def read_model(artifact: Path, commit: str | None = ORIGIN.commit) -> ImageModel:
    return ImageModel(read_contents(artifact), commit)


def repository(root: Path) -> Settings:
    root.mkdir(parents=True, exist_ok=True)
    (root / "slipway.toml").write_text("[release]\nstore = 'store'\n")
    return configuration.load(root)


def make(folder: Path, *artifacts: Path, base: Path | None = None) -> Image:
    """The image of ``artifacts`` in the layout ``folder/images``, on a tiny base or ``base``."""
    settings = repository(folder)
    opened = open_base(InLayout(base or tiny_base(folder / "base"), None), settings)
    models = [read_model(artifact) for artifact in artifacts]
    return make_image(Layout(folder / "images"), "made", models, opened, settings, ORIGIN)


def make_environments(folder: Path, *artifacts: Path) -> Path:
    """The layout of a tiny base with the environments of ``artifacts``."""
    settings = repository(folder)
    opened = open_base(InLayout(tiny_base(folder / "base"), None), settings)
    models = [read_model(artifact) for artifact in artifacts]
    return make_base(
        Layout(folder / "environments"), "base", models, opened, settings, ORIGIN
    ).layout.root


def manifest_of(image: Image) -> dict[str, Any]:
    return image.layout.read_json({"digest": image.digest})


def config_of(image: Image) -> dict[str, Any]:
    return image.layout.read_json(manifest_of(image)["config"])


def files_of(image: Image) -> dict[str, bytes | str]:
    """The files of the layers above the base: bytes, or where a link leads."""
    found: dict[str, bytes | str] = {}
    for layer in image.layers:
        data = image.layout.blob(layer.digest).read_bytes()
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
            for member in tar:
                assert (member.uid, member.gid, member.uname) == (0, 0, "")
                if member.issym():
                    found[member.name] = member.linkname
                elif content := tar.extractfile(member):
                    found[member.name] = content.read()
    return found


def attached_to(image: Image) -> dict[str, tuple[dict[str, Any], bytes]]:
    """The documents that the layout attaches to ``image``: manifest and content, by title."""
    documents = {}
    for entry in image.layout.read_json(image.layout.find(image.index))["manifests"]:
        manifest = image.layout.read_json(entry)
        (layer,) = manifest["layers"]
        title = layer["annotations"]["org.opencontainers.image.title"]
        documents[title] = (manifest, image.layout.read(layer))
    return documents


def statement_in(envelope: bytes) -> dict[str, Any]:
    import base64

    value: dict[str, Any] = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    return value
