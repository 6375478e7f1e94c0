"""Read a price table that the user supplies: instance type → US dollars an hour."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError

TABLE = "usd_per_hour"
EXAMPLE = f'[{TABLE}]\n"ml.g5.xlarge" = 1.0'


def read_price(path: Path, instance: str) -> float:
    """Return the price of ``instance`` in US dollars an hour.

    Raises:
        SlipwayError: the table is malformed, or has no such instance.
    """
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SlipwayError(
            f"cannot be read: {error.strerror}",
            where=str(path),
            fix="name a price table that exists",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SlipwayError(
            f"not valid TOML: {error}", where=str(path), fix=f"write it like this:\n{EXAMPLE}"
        ) from error
    prices = content.get(TABLE)
    if not isinstance(prices, dict):
        raise SlipwayError(
            f"it has no [{TABLE}]", where=str(path), fix=f"write it like this:\n{EXAMPLE}"
        )
    if instance not in prices:
        near = difflib.get_close_matches(instance, prices, n=3) or sorted(prices)[:5]
        raise SlipwayError(
            f"it has no price of {instance}",
            where=str(path),
            fix=f'add "{instance}" = … to [{TABLE}]; it has {", ".join(near) or "none"}',
        )
    price = prices[instance]
    if isinstance(price, bool) or not isinstance(price, int | float) or not price > 0:
        raise SlipwayError(
            f"the price of {instance} is {price!r}", where=str(path), fix="US dollars, above zero"
        )
    return float(price)
