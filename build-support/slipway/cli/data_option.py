"""JSON on the command line: as it stands, of a file, or of standard input."""

from __future__ import annotations

import click

from slipway.errors import SlipwayError

METAVAR = "JSON|@FILE|-"


def read(context: click.Context, option: click.Parameter, given: str | None) -> str | None:
    """The text that an option's value stands for; an option's callback.

    Raises:
        SlipwayError: its file cannot be read, or is not UTF-8.
    """
    if given is None or not (given == "-" or given.startswith("@")):
        return given
    try:
        with click.open_file(given.removeprefix("@"), encoding="utf-8") as file:
            return str(file.read())
    except (OSError, UnicodeDecodeError) as error:
        raise SlipwayError(
            f"cannot be read: {error}", where=given, fix="name a file of JSON in UTF-8"
        ) from error
