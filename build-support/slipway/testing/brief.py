"""The text of an error in a report of tests."""

from __future__ import annotations

import pytest

from slipway.errors import SlipwayError


def brief(error: SlipwayError, config: pytest.Config) -> str:
    """Return an error's text with paths from the repository's root."""
    return str(error).replace(f"{config.rootpath}/", "")
