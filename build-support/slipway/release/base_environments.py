"""Refuse a release without its environment where the endpoints' image is not said to have it."""

from __future__ import annotations

from slipway.artifact.manifest import Manifest
from slipway.errors import SlipwayError
from slipway.settings.release import StageSettings

LAYOUT = "image"  # of an artifact that is code and weights alone


def require_base_environment(manifest: Manifest, target: str, stage: StageSettings) -> None:
    """Refuse what no endpoint of ``stage`` would load.

    Raises:
        SlipwayError: the artifact is without its environment, and ``base_environments`` of the
            stage does not name it.
    """
    environment = manifest.environment
    if environment is None or environment["layout"] != LAYOUT:
        return
    digest = str(environment["sha256"])
    if digest in stage.base_environments:
        return
    digests = ", ".join(f'"{known}"' for known in (*stage.base_environments, digest))
    raise SlipwayError(
        f"{target} is without its environment {digest}, and the image of {stage.name}'s endpoints"
        " is not said to have it: it would not load",
        where=f"slipway.toml: [release.{stage.name}]",
        fix=f"base_environments = [{digests}], once they have an image of slipway image"
        f" --base-environment {manifest.name}; or build and publish it with its environment",
    )
