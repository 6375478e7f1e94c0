"""Helpers that all tables of ``slipway.toml`` share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from slipway.errors import SlipwayError


def unknown(path: Path, name: str, known: Iterable[str]) -> SlipwayError:
    """Return the error about an unknown table or key."""
    return SlipwayError(
        f"unknown {name}", where=str(path), fix=f"remove it; known are: {', '.join(sorted(known))}"
    )


def size(text: str | int) -> int:
    """Return the bytes of a size such as ``2GiB``, ``500MB``, ``4g``, or a plain number.

    Raises:
        ValueError: ``text`` is not a size.
    """
    match = re.fullmatch(
        r"(\d+(?:\.\d+)?)\s*(?:([KMGT])(i?)B?|B)?", str(text).strip(), re.IGNORECASE
    )
    if not match:
        raise ValueError(f"{text!r} is not a size, such as 2GiB")
    number, unit, binary = match.groups()
    power = " KMGT".index(unit.upper()) if unit else 0
    return int(
        float(number)
        * (1000 if unit and not binary and str(text).strip()[-1] in "bB" else 1024) ** power
    )
