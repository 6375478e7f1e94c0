"""What the tables of ``slipway.toml`` have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from slipway.errors import SlipwayError


def unknown(path: Path, name: str, known: Iterable[str]) -> SlipwayError:
    """What to say of a table or key that means nothing."""
    return SlipwayError(
        f"unknown {name}", where=str(path), fix=f"remove it; known are: {', '.join(sorted(known))}"
    )


def size(text: str | int) -> int:
    """Bytes that ``text`` says: ``2GiB``, ``500MB``, ``4g``, or a plain number.

    Raises:
        ValueError: it says none.
    """
    found = re.fullmatch(
        r"(\d+(?:\.\d+)?)\s*(?:([KMGT])(i?)B?|B)?", str(text).strip(), re.IGNORECASE
    )
    if not found:
        raise ValueError(f"{text!r} is no size, such as 2GiB")
    number, unit, binary = found.groups()
    power = " KMGT".index(unit.upper()) if unit else 0
    return int(
        float(number)
        * (1000 if unit and not binary and str(text).strip()[-1] in "bB" else 1024) ** power
    )
