"""What an instance serves: a multi-model endpoint, or one of several containers."""

from __future__ import annotations

from slipway.endpoint.containers.endpoint import ContainerEndpoint
from slipway.endpoint.endpoint import Endpoint

type AnyEndpoint = Endpoint | ContainerEndpoint
