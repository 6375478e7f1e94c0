"""``[test]`` of ``slipway.toml``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.settings.tables import unknown

KEYS = {"request_timeout", "model_timeout"}


@dataclass(frozen=True)
class TimeLimits:
    """How long tests and evaluations wait, in seconds.

    ``request_timeout`` is for one answer; SageMaker grants a container 60 s. ``model_timeout`` is
    for all tests of one model.
    """

    request_timeout: float = 60.0
    model_timeout: float = 1800.0


def parse(path: Path, values: Any) -> TimeLimits:
    """Return the time limits of ``[test]``.

    Raises:
        SlipwayError: a key is unknown, or a value is not a number of seconds above 0.
    """
    if not isinstance(values, Mapping):
        raise unknown(path, "test", ["[test] with keys of its own"])
    for key, value in values.items():
        if key not in KEYS:
            raise unknown(path, f"test.{key}", KEYS)
        if type(value) not in (int, float) or not math.isfinite(value) or value <= 0:
            raise SlipwayError(
                f"test.{key} is {value!r}",
                where=str(path),
                fix=f"a number of seconds above 0, such as {key} = 120",
            )
    return TimeLimits(**{key: float(value) for key, value in values.items()})
