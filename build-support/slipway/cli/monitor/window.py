"""A length of time as the value of an option."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from datetime import timedelta


class Window(click.ParamType["timedelta"]):
    """A length of time, such as ``1d``, ``12h`` or ``90m``."""

    name = "time"

    def convert(self, value: Any, parameter: Any, context: Any) -> timedelta:
        """Return the length of time."""
        from slipway.drift.window import parse_window

        try:
            return parse_window(str(value))
        except ValueError as error:
            self.fail(str(error), parameter, context)
