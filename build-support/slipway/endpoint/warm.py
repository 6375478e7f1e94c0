"""Load named models when an endpoint starts, without a request to any of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence

from slipway.catalog.reader import CatalogReader
from slipway.endpoint.endpoint import Endpoint
from slipway.endpoint.failure import Failure
from slipway.endpoint.serving import RunningEndpoints
from slipway.errors import SlipwayError
from slipway.settings import EndpointSettings, Settings
from slipway.store.open_reader import open_endpoint


async def load_named(
    settings: Settings,
    entries: Sequence[EndpointSettings],
    served: RunningEndpoints,
    names: Iterable[str],
) -> list[str]:
    """Load what the aliases of ``names`` serve on each endpoint of models, one after the other;
    return a line about each. They are unloaded as any other model is.

    Raises:
        SlipwayError: a name has no alias.
    """
    lines = []
    for entry in entries:
        endpoint = served.endpoints[entry.name]
        if not isinstance(endpoint, Endpoint):
            continue
        catalog = CatalogReader(open_endpoint(settings, entry))
        for name in dict.fromkeys(names):
            alias = await asyncio.to_thread(catalog.alias, name)
            lines += [await _load(endpoint, target) for target in alias.all_targets]
    return lines


async def _load(endpoint: Endpoint, target: str) -> str:
    began = time.monotonic()
    try:
        if not endpoint.policy.allows(target):
            raise SlipwayError("--allow does not allow it")
        model, was_loaded = await endpoint.models.acquire(target)
    except (Failure, SlipwayError) as error:
        return f"✗ {target} is not loaded: {error}"
    endpoint.models.release(model)
    seconds = time.monotonic() - began
    return f"✓ {target} {'was loaded' if was_loaded else f'loaded in {seconds:.2f} s'}"
