"""Quantities as people type them: ``200ms``, ``120/s``, ``5%``, ``10,20,50``."""

from __future__ import annotations

import math
import re

from slipway.errors import SlipwayError

SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}
PERIODS = {"s": 1.0, "min": 60.0, "h": 3600.0}
NUMBER = r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"


def seconds(text: str, option: str) -> float:
    """A duration in seconds; a unit has to be there.

    Raises:
        SlipwayError: it is none, or zero.
    """
    found = re.fullmatch(rf"({NUMBER})\s*(us|ms|s|min)", text.strip())
    return _positive(
        float(found[1]) * SECONDS[found[2]] if found else 0.0, text, option, "200ms or 1.5s"
    )


def per_second(text: str, option: str) -> float:
    """A rate in requests a second; ``120``, ``120/s``, ``7200/min`` and ``432000/h`` are one.

    Raises:
        SlipwayError: it is none, or zero.
    """
    found = re.fullmatch(rf"({NUMBER})\s*(?:/\s*(s|min|h))?", text.strip())
    rate = float(found[1]) / PERIODS[found[2] or "s"] if found else 0.0
    return _positive(rate, text, option, "120/s or 7200/min")


def share(text: str, option: str) -> float:
    """A part of the whole: ``5%`` is 0.05; zero is allowed.

    Raises:
        SlipwayError: it is none.
    """
    found = re.fullmatch(rf"({NUMBER})\s*%", text.strip())
    if not found:
        raise SlipwayError(f"{option} {text!r} is no percentage", fix=f"{option} 5%")
    return float(found[1]) / 100


def rates(text: str, option: str) -> list[float]:
    """Several rates, ascending and each once.

    Raises:
        SlipwayError: one of them is none.
    """
    return sorted({per_second(part, option) for part in text.split(",")})


def counts(text: str, option: str) -> list[int]:
    """Several whole numbers above zero, ascending and each once.

    Raises:
        SlipwayError: one of them is none.
    """
    if not re.fullmatch(r"\s*[1-9]\d*\s*(,\s*[1-9]\d*\s*)*", text):
        raise SlipwayError(f"{option} {text!r} is no list of numbers", fix=f"{option} 1,2,4,8")
    return sorted({int(part) for part in text.split(",")})


def _positive(value: float, text: str, option: str, example: str) -> float:
    if not 0 < value < math.inf:
        raise SlipwayError(f"{option} {text!r} is not understood", fix=f"such as {example}")
    return value
