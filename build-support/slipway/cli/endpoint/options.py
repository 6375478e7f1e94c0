"""Options that the commands of an endpoint share."""

from __future__ import annotations

import json
from typing import Any

import click

from slipway.errors import SlipwayError

endpoint_option = click.option(
    "--endpoint",
    "where",
    default="local",
    show_default=True,
    help="Endpoint name from slipway.toml.",
)
url_option = click.option("--url", help="Address of a local endpoint that is not recorded here.")


def parse_parameters(text: str | None) -> dict[str, Any]:
    """Return the parameters of a request from the JSON of ``--parameters``.

    Raises:
        SlipwayError: it is not an object.
    """
    try:
        values = json.loads(text or "{}")
    except json.JSONDecodeError:
        values = None
    if isinstance(values, dict):
        return values
    raise SlipwayError(
        f"--parameters is not a JSON object: {text}",
        fix="""for example --parameters '{"sequence_id": 7, "sequence_start": true}'""",
    )
