"""Find the endpoint that a configuration describes, and what it asks of its callers."""

from __future__ import annotations

import os
from pathlib import Path

from slipway.client.runtime import Runtime
from slipway.endpoint import registry
from slipway.endpoint.protocol import LARGEST_BODY
from slipway.errors import SlipwayError
from slipway.settings import EndpointSettings

TOKEN = "SLIPWAY_TOKEN"  # the variable with the token of an endpoint that asks for one


def chosen_token(token: str | None) -> str | None:
    """Return ``token``, or else that of the variable ``SLIPWAY_TOKEN``.

    Raises:
        SlipwayError: it cannot be a token.
    """
    text = (token or os.environ.get(TOKEN, "")).strip()
    if text and not (text.isascii() and text.isprintable() and " " not in text):
        # the text itself is a secret
        raise SlipwayError(
            f"the token is not one that slipway token create printed ({len(text)} characters)",
            fix=f"{TOKEN}=$(slipway token create NAME)",
        )
    return text or None


def open_runtime(
    entry: EndpointSettings,
    root: Path,
    url: str | None = None,
    token: str | None = None,
    *,
    is_probe: bool = False,
) -> Runtime:
    """Return the endpoint that ``entry`` describes.

    It is in AWS if ``entry`` has an ``endpoint_name``, else on this machine: at ``url``, or where
    ``slipway endpoint up`` recorded it below ``root``. The latter gets the ``token``, by default
    that of the variable ``SLIPWAY_TOKEN``, or a signature if it asks for credentials.

    Raises:
        SlipwayError: the local endpoint is not up, or boto3's configuration is wrong.
    """
    largest_body = entry.largest_body or LARGEST_BODY
    if entry.endpoint_name and url is None:
        return Runtime(
            entry.endpoint_name,
            region=entry.region,
            profile=entry.profile,
            largest_body=largest_body,
            is_probe=is_probe,
        )
    signs = entry.credentials is not None or (
        url is None and registry.asks_for_credentials(root, entry.name)
    )
    return Runtime(
        entry.name,
        url=url or registry.find_url(root, entry.name),
        region=entry.region,
        profile=entry.profile,
        largest_body=largest_body,
        token=chosen_token(token),
        signs=signs,
        is_probe=is_probe,
    )
