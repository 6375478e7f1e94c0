"""``--data``: JSON to send, as text, from a file or from standard input."""

from __future__ import annotations

import json

import click

from slipway.cli.options import Decorator, json_had_a_value
from slipway.errors import SlipwayError


def data_option(help: str) -> Decorator:
    """Return ``--data``, whose text is the parameter ``data``."""
    return click.option("--data", metavar="JSON|@FILE|-", callback=_load, help=help)


def _is_json(value: str) -> bool:
    """Return whether a value after ``--json`` is one that was sent, before ``--data`` was."""
    return value == "-" or value.lstrip().startswith(("{", "[", "@"))


CommandWithData = json_had_a_value(_is_json, "--data")


def _load(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Return the JSON text that the option's value is or points to.

    Raises:
        SlipwayError: its file cannot be read, or is not JSON in UTF-8.
    """
    if value is None or context.resilient_parsing:
        return None
    text = value
    if value == "-" or value.startswith("@"):
        try:
            with click.open_file(value.removeprefix("@"), encoding="utf-8") as file:
                text = str(file.read())
        except (OSError, UnicodeDecodeError) as error:
            raise SlipwayError(
                f"cannot be read: {error}", where=value, fix="name a file of JSON in UTF-8"
            ) from error
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SlipwayError(
            f"--data is not JSON: {error}", fix="""such as --data '{"fare": 7, "sex": "male"}'"""
        ) from error
    return text
