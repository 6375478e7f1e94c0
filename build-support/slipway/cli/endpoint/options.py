"""Options that the commands of an endpoint share."""

from __future__ import annotations

import click

endpoint_option = click.option(
    "--endpoint",
    "where",
    default="local",
    show_default=True,
    help="Endpoint name from slipway.toml.",
)
url_option = click.option("--url", help="Address of a local endpoint that is not recorded here.")
