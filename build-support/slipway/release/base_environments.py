"""Refuse a release without its environment where the endpoints' image is not said to have it."""

from __future__ import annotations

from slipway.artifact.manifest import Manifest
from slipway.errors import SlipwayError
from slipway.settings.release import StageSettings

LAYOUT = "image"  # of an artifact that is code and weights alone


def missing_environment(manifest: Manifest, stage: StageSettings) -> str | None:
    """Return the digest of the environment that an artifact leaves to the image, if the images of
    ``stage`` are not said to have it."""
    environment = manifest.environment
    if environment is None or environment["layout"] != LAYOUT:
        return None
    digest = str(environment["sha256"])
    return None if digest in stage.base_environments else digest


def require_base_environment(manifest: Manifest, target: str, stage: StageSettings) -> None:
    """Refuse what no endpoint of ``stage`` would load.

    Raises:
        SlipwayError: the artifact is without its environment, and ``base_environments`` of the
            stage does not name it.
    """
    digest = missing_environment(manifest, stage)
    if digest is None:
        return
    digests = ", ".join(f'"{known}"' for known in (*stage.base_environments, digest))
    raise SlipwayError(
        f"{target} is without its environment {digest}, and the image of {stage.name}'s endpoints"
        " is not said to have it: it would not load",
        where=f"slipway.toml: [release.{stage.name}]",
        fix=f"base_environments = [{digests}], once they have an image of slipway image"
        f" --base-environment {manifest.name}; or build and publish it with its environment",
    )
