"""What the playground knows of an endpoint: itself, its releases, how it was configured."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.catalog.catalog import Catalog
from slipway.endpoint.any_endpoint import AnyEndpoint
from slipway.endpoint.containers.endpoint import ContainerEndpoint
from slipway.settings import EndpointSettings, Settings
from slipway.store.stage import StageReader


@dataclass(frozen=True)
class Served:
    """An endpoint, the stage of the store that it serves, and its entry of ``slipway.toml``."""

    endpoint: AnyEndpoint
    releases: StageReader
    entry: EndpointSettings
    settings: Settings

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return self.endpoint.name

    @property
    def catalog(self) -> Catalog:
        """The catalog of the stage that is served."""
        return Catalog(self.releases)

    @property
    def containers(self) -> ContainerEndpoint | None:
        """The endpoint, if it has several containers."""
        return self.endpoint if isinstance(self.endpoint, ContainerEndpoint) else None

    def allows(self, target: str) -> bool:
        """Return whether ``--allow`` names a target model, or a container's host name."""
        return self.endpoint.policy.allows(target)
