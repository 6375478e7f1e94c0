"""The image of a model's training: what it is made of, and under which tags it is in the registry.

``python -m slipway.training.image MODEL…`` prints, for ``ci/image``, a line for each image that the
registry lacks.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway import settings
from slipway.errors import SlipwayError
from slipway.model.training_settings import FILE_NAME, load_training_settings
from slipway.settings import TrainingPlaceSettings
from slipway.training.registry import Registry, open_registry

DOCKERFILE = "ci/training/Dockerfile"
# what the Dockerfile copies, and the file itself; {model} is the model's name
PARTS = (
    DOCKERFILE,
    "ci/training/entry.py",
    "build-support/lockfiles/training.txt",
    "build-support/lockfiles/uv.txt",
    "models/{model}/training/requirements.lock",
)
BASE = "SLIPWAY_TRAINING_BASE"  # the variable with another base image


@dataclass(frozen=True)
class TrainingImage:
    """The image of ``model``'s training.

    ``content`` is a digest of all that it is built from, ``version`` the one of ``training.toml``.
    """

    model: str
    content: str
    version: str

    @property
    def content_tag(self) -> str:
        """Return the tag that another content never has."""
        return f"{self.model}-{self.content[:16]}"

    @property
    def version_tag(self) -> str:
        """Return the tag for people."""
        return f"{self.model}-{self.version}"


def describe_image(root: Path, model: str) -> TrainingImage:
    """Return what the image of ``model``'s training is, from the repository's files.

    Raises:
        SlipwayError: one of the files that it is built from is missing.
    """
    digest = hashlib.sha256(os.environ.get(BASE, "").encode())
    for part in PARTS:
        path = root / part.format(model=model)
        if not path.is_file():
            raise SlipwayError(
                "missing: an image of a training is built from it",
                where=str(path),
                fix=(
                    "lock the packages of its training: uv pip compile --generate-hashes"
                    if path.name == "requirements.lock"
                    else "restore it: git checkout, or take it from Slipway's repository"
                ),
            )
        digest.update(f"\0{part}\0".encode() + path.read_bytes())
    version = load_training_settings(root / "models" / model).image_version
    return TrainingImage(model, digest.hexdigest(), version)


def require_image(root: Path, model: str, places: TrainingPlaceSettings) -> str:
    """Return the full reference, with digest, of the image that trains ``model``.

    Raises:
        SlipwayError: the registry does not have it, or cannot be asked.
    """
    image = describe_image(root, model)
    registry = open_registry(places)
    digest = registry.digest(image.content_tag)
    if digest is None:
        raise SlipwayError(
            f"no image for the training of {model}: {registry.repository}:{image.content_tag}"
            " is not in the registry",
            where=str(root / DOCKERFILE),
            fix=f"ci/image training {model}",
        )
    return f"{registry.repository}@{digest}"


def is_missing(image: TrainingImage, registry: Registry, root: Path) -> bool:
    """Return whether ``image`` has to be built. One that is there gets the tag of its version.

    Raises:
        SlipwayError: the version is that of another content.
    """
    content, version = registry.digest(image.content_tag), registry.digest(image.version_tag)
    if version is not None and version != content:
        raise SlipwayError(
            f"{registry.repository}:{image.version_tag} has other content ({version[:19]}…)",
            where=str(root / "models" / image.model / FILE_NAME),
            fix=f'raise the version of the image: [image] version = "{_next(image.version)}"',
        )
    if content is not None and version is None:
        registry.tag(image.content_tag, image.version_tag)
    return content is None


def _next(version: str) -> str:
    major, minor, patch = version.split(".")
    return f"{major}.{minor}.{int(patch) + 1}"


def main(models: Sequence[str]) -> None:
    """Print model, repository, both tags and the base of every image that the registry lacks."""
    chosen = settings.load(Path.cwd())
    registry = open_registry(chosen.training)
    for model in models:
        image = describe_image(chosen.root, model)
        if is_missing(image, registry, chosen.root):
            print(model, registry.repository, image.content_tag, image.version_tag)
        else:
            print(f"{model}: {registry.repository}:{image.content_tag} is there", file=sys.stderr)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SlipwayError as problem:
        sys.exit(f"error: {problem}")
