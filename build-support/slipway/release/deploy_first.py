"""Leave the alias of a container's model until the new release is deployed.

A multi-model endpoint fetches any target model. The containers of an endpoint are fixed when it is
created: an alias that leads to another release would lead nowhere until the next deployment.
"""

from __future__ import annotations

from collections.abc import Callable

from slipway.artifact.manifest import Manifest
from slipway.catalog import keys
from slipway.catalog.alias import Alias
from slipway.release.forward_only import AliasUnchanged
from slipway.settings.release import StageName

type Check = Callable[[Alias | None], None]


def accept_any(current: Alias | None) -> None:
    """Let any alias be moved."""


def deploy_first(manifest: Manifest, target: str, stage: StageName, otherwise: Check) -> Check:
    """Return a check that stops the move of an existing alias to ``target``, if that is a release
    of a container's model; for any other it is ``otherwise``."""
    if manifest.container is None:
        return otherwise

    def check(current: Alias | None) -> None:
        otherwise(current)
        if current is None or target in current.targets:
            return
        raise AliasUnchanged(
            f"{current} is, until the container {keys.hostname(target)} is deployed: then"
            f" slipway alias {manifest.name} {manifest.version} --stage {stage}"
        )

    return check
