"""Parse quantities as people type them: ``200ms``, ``120/s``, ``5%``, ``10,20,50``."""

from __future__ import annotations

import math
import re

from slipway.errors import SlipwayError

SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}
PERIODS = {"s": 1.0, "min": 60.0, "h": 3600.0}
NUMBER = r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"


def parse_seconds(text: str, option: str) -> float:
    """Return a duration in seconds; the unit is required.

    Raises:
        SlipwayError: ``text`` is not a duration, or zero.
    """
    match = re.fullmatch(rf"({NUMBER})\s*(us|ms|s|min)", text.strip())
    return _positive(
        float(match[1]) * SECONDS[match[2]] if match else 0.0, text, option, "200ms or 1.5s"
    )


def parse_rate(text: str, option: str) -> float:
    """Return a rate in requests a second: ``120``, ``120/s``, ``7200/min``, ``432000/h`` are equal.

    Raises:
        SlipwayError: ``text`` is not a rate, or zero.
    """
    match = re.fullmatch(rf"({NUMBER})\s*(?:/\s*(s|min|h))?", text.strip())
    rate = float(match[1]) / PERIODS[match[2] or "s"] if match else 0.0
    return _positive(rate, text, option, "120/s or 7200/min")


def parse_share(text: str, option: str) -> float:
    """Return a percentage as a fraction: ``5%`` is 0.05; zero is allowed.

    Raises:
        SlipwayError: ``text`` is not a percentage.
    """
    match = re.fullmatch(rf"({NUMBER})\s*%", text.strip())
    if not match:
        raise SlipwayError(f"{option} {text!r} is not a percentage", fix=f"{option} 5%")
    return float(match[1]) / 100


def parse_rates(text: str, option: str) -> list[float]:
    """Return several rates, ascending and without duplicates.

    Raises:
        SlipwayError: one of them is not a rate.
    """
    return sorted({parse_rate(part, option) for part in text.split(",")})


def parse_counts(text: str, option: str) -> list[int]:
    """Return several positive integers, ascending and without duplicates.

    Raises:
        SlipwayError: ``text`` is not a list of them.
    """
    if not re.fullmatch(r"\s*[1-9]\d*\s*(,\s*[1-9]\d*\s*)*", text):
        raise SlipwayError(f"{option} {text!r} is not a list of numbers", fix=f"{option} 1,2,4,8")
    return sorted({int(part) for part in text.split(",")})


def _positive(value: float, text: str, option: str, example: str) -> float:
    if not 0 < value < math.inf:
        raise SlipwayError(f"{option} {text!r} is not understood", fix=f"write it like {example}")
    return value
