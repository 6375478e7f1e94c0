"""A column of the table that a model was trained on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from slipway.formats.format import Feature


@dataclass
class Column:
    """One column of the training's table. ``kind`` is "" until a step tells it.

    ``absent`` is what the training had where a client sends ""."""

    name: str
    kind: str = ""  # "text", "integer", "number"
    low: float | None = None
    high: float | None = None
    values: list[Any] = field(default_factory=list)
    missing: bool = False
    absent: str | float | None = ""
    used: bool = True
    whole: bool = False
    document: bool = False

    @property
    def datatype(self) -> str:
        """Return Triton's type of it. Integers that are not categories are numbers as well."""
        return {"text": "BYTES", "integer": "INT64"}.get(self.kind, "FP32")

    @property
    def feature(self) -> Feature:
        """Return what rows of it are drawn from."""
        low = -3.0 if self.low is None else self.low
        high = 3.0 if self.high is None else self.high
        integer = self.kind == "integer" or self.whole
        values = tuple(self.values)
        return Feature(self.name, float(low), float(high), values, integer, self.missing)
