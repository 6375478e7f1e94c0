"""Read ``models/<name>/evaluation.toml``: how much worse than the served ones metrics may be.

files = ["training/metrics.json"]   # default: the metrics that dvc.yaml names in the folder

[metric."test.auc"]
better = "higher"    # or "lower"
margin = 0.005       # how much worse it may be; "2 %" of the served value; default: nothing
at_least = 0.95      # and at_most: independent of the served value
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args

from slipway.errors import SlipwayError
from slipway.unchanged import remembered

FILE_NAME = "evaluation.toml"
EVALUATION_PROGRAM = "evaluate.py"  # next to it: measures the served model
Better = Literal["higher", "lower"]
TABLES = ("files", "metric")
KEYS = ("better", "margin", "at_least", "at_most")
PER_CENT = "%"


@dataclass(frozen=True)
class Threshold:
    """The limits of one metric.

    ``margin`` is absolute, or a text such as ``2 %``: a share of the served value. ``at_least`` and
    ``at_most`` do not depend on the served value.
    """

    better: Better
    margin: float | str = 0.0
    at_least: float | None = None
    at_most: float | None = None

    def dump(self) -> dict[str, Any]:
        """Return JSON values, which :func:`parse_threshold` reads, without those that are not
        set."""
        values = {key: getattr(self, key) for key in KEYS}
        return {key: value for key, value in values.items() if value is not None}

    def allowed(self, served: float) -> Decimal:
        """Return by how much a metric may be worse than ``served``."""
        if isinstance(self.margin, str):
            return abs(_exact(served)) * _share(self.margin)
        return _exact(self.margin)

    def worsening(self, value: float, served: float) -> Decimal:
        """Return by how much ``value`` is worse than ``served``; negative if it is better."""
        better = _exact(value) - _exact(served)
        return -better if self.better == "higher" else better

    def beyond(self, value: float | None) -> str | None:
        """Return the bound that ``value`` breaks, as text; ``None`` is an unmeasured value."""
        bounds = [("at_least", self.at_least), ("at_most", self.at_most)]
        limits = [
            f"{key.replace('_', ' ')} {bound:g}" for key, bound in bounds if bound is not None
        ]
        if not limits:
            return None
        if value is None or math.isnan(value):
            return f"has to be {' and '.join(limits)}"
        if self.at_least is not None and value < self.at_least:
            return f"has to be at least {self.at_least:g}"
        if self.at_most is not None and value > self.at_most:
            return f"has to be at most {self.at_most:g}"
        return None

    def looser_than(self, other: Threshold) -> list[str]:
        """Return what this threshold allows and ``other`` did not, in a few words each."""
        if self.better != other.better:
            return [f"better was {other.better!r}, is {self.better!r}"]
        changes = []
        if _is_wider(self.margin, other.margin):
            changes.append(f"margin was {other.margin}, is {self.margin}")
        for key, falls in (("at_least", True), ("at_most", False)):
            current, before = getattr(self, key), getattr(other, key)
            if before is None or current == before:
                continue
            if current is None:
                changes.append(f"{key} was {before:g}, is gone")
            elif (current < before) is falls:
                changes.append(f"{key} was {before:g}, is {current:g}")
        return changes


@dataclass(frozen=True)
class Thresholds:
    """The file of one model.

    ``files`` are the files of DVC metrics to compare, relative to the model's folder; ``None``:
    those that DVC's own files name there.
    """

    metric: Mapping[str, Threshold] = field(default_factory=dict)
    files: tuple[str, ...] | None = None


@remembered
def load_thresholds(folder: Path) -> Thresholds | None:
    """Return the thresholds in ``folder``'s ``evaluation.toml``; ``None`` if there is no file.

    Raises:
        SlipwayError: it is not TOML, or a key or value is invalid; names the metric.
    """
    path = folder / FILE_NAME
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SlipwayError(
            f"not valid TOML: {error}", where=str(path), fix="correct the line named above"
        ) from error
    try:
        return _parse_file(values)
    except ValueError as error:
        raise SlipwayError(
            str(error), where=str(path), fix="docs/versions.md shows such a file"
        ) from error


def parse_threshold(values: Mapping[str, Any]) -> Threshold:
    """Return the threshold that :meth:`Threshold.dump` or one table of the file describes.

    Raises:
        ValueError: a key or a value is invalid.
    """
    unknown = sorted(set(values) - set(KEYS))
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; known are: {', '.join(KEYS)}")
    if values.get("better") not in get_args(Better):
        raise ValueError(f"better is {values.get('better')!r}: \"higher\" or \"lower\"")
    margin = values.get("margin", 0.0)
    if isinstance(margin, str):
        _share(margin)
    elif not _is_number(margin) or margin < 0:
        raise ValueError(f'margin is {margin!r}: a number such as 0.005, or "2 %"')
    for key in ("at_least", "at_most"):
        if values.get(key) is not None and not _is_number(values[key]):
            raise ValueError(f"{key} is {values[key]!r}: a number")
    low, high = values.get("at_least"), values.get("at_most")
    if low is not None and high is not None and low > high:
        raise ValueError(f"at_least is {low}, above at_most, which is {high}")
    return Threshold(values["better"], margin, low, high)


def _parse_file(values: Mapping[str, Any]) -> Thresholds:
    unknown = sorted(set(values) - set(TABLES))
    if unknown:
        raise ValueError(f'unknown key {unknown[0]!r}; known are: files, [metric."<name>"]')
    files, tables = values.get("files"), values.get("metric", {})
    if files is not None and not (
        isinstance(files, list) and all(isinstance(f, str) for f in files)
    ):
        raise ValueError('files is not a list of names, such as ["training/metrics.json"]')
    if not isinstance(tables, dict):
        raise ValueError('metric is not a table: write [metric."<name>"]')
    thresholds = {}
    for name, table in tables.items():
        try:
            if not isinstance(table, dict):
                raise ValueError("not a table")
            thresholds[name] = parse_threshold(table)
        except ValueError as error:
            dotted = isinstance(table, dict) and any(isinstance(v, dict) for v in table.values())
            hint = "; put a name with dots in quotes" if dotted else ""
            raise ValueError(f'[metric."{name}"]: {error}{hint}') from error
    return Thresholds(thresholds, None if files is None else tuple(files))


def _share(text: str) -> Decimal:
    """Return ``2 %`` as 0.02."""
    number = text.removesuffix(PER_CENT).strip()
    try:
        share = Decimal(number) / 100
    except ArithmeticError as error:
        raise ValueError(f'margin is {text!r}: a number, or a share such as "2 %"') from error
    if not text.endswith(PER_CENT) or not share.is_finite() or share < 0:
        raise ValueError(f'margin is {text!r}: a number, or a share such as "2 %"')
    return share


def _is_wider(margin: float | str, other: float | str) -> bool:
    if isinstance(margin, str) and isinstance(other, str):
        return _share(margin) > _share(other)
    if isinstance(margin, str) or isinstance(other, str):
        return margin != other  # which is wider depends on the value: report the change
    return margin > other


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _exact(value: float) -> Decimal:
    """Return the number as it is written: 0.9791 - 0.9741 is exactly 0.005."""
    return Decimal(repr(float(value)))
