"""Read ``models/<name>/capture.toml``: how much of a model's traffic is captured, and what of it.

sample = 0.1          # share of the requests; default: all of them
retention_days = 14   # default: 30

[tensor.image]        # an input or an output of the model
keep = "thumbnail"    # or "nothing", "shape", "hash"; a tensor without a table is kept whole
pixels = 4096         # of a thumbnail, at most

[other]               # tensors without a table of their own, new ones included
keep = "shape"

The file is a source of the model. Its values travel in the artifact's manifest, and so in the
release's record: an endpoint or a client knows them of any release that it serves.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from slipway.errors import SlipwayError

if sys.version_info >= (3, 11):
    import tomllib
else:  # in an application that installs slipway-client
    import tomli as tomllib

FILE_NAME = "capture.toml"
RETENTION_DAYS = 30
PIXELS = 64 * 64
MOST_PIXELS = 512 * 512
Keep = Literal["everything", "drop", "shape", "hash", "thumbnail"]
# the word of the file, and that of a record
KEEP: dict[str, Keep] = {
    "everything": "everything",
    "nothing": "drop",
    "shape": "shape",
    "hash": "hash",
    "thumbnail": "thumbnail",
}
WORDS = {keep: word for word, keep in KEEP.items()}
KEYS = ("sample", "retention_days", "tensor", "other")
TENSOR_KEYS = ("keep", "pixels")


@dataclass(frozen=True)
class TensorRule:
    """What is kept of a tensor; ``pixels`` of a thumbnail, at most."""

    keep: Keep = "everything"
    pixels: int = PIXELS

    def dump(self) -> dict[str, Any]:
        """Return the rule as JSON values."""
        pixels = {"pixels": self.pixels} if self.keep == "thumbnail" else {}
        return {"keep": WORDS[self.keep], **pixels}


@dataclass(frozen=True)
class CaptureRules:
    """The rules of one release: the share of requests to ``sample``, how long they are kept, what
    is kept of each tensor, and of the ``other`` ones."""

    sample: float = 1.0
    retention_days: int = RETENTION_DAYS
    tensors: Mapping[str, TensorRule] = field(default_factory=dict)
    other: TensorRule = TensorRule()

    @cached_property
    def redacts(self) -> bool:
        """Return whether a tensor may have to be decoded: else bodies are kept as they are."""
        rules = (*self.tensors.values(), self.other)
        return any(rule.keep != "everything" for rule in rules)

    @cached_property
    def hashes(self) -> bool:
        """Return whether a tensor may have to be hashed, which needs a key."""
        return any(rule.keep == "hash" for rule in (*self.tensors.values(), self.other))

    def of(self, tensor: str) -> TensorRule:
        """Return the rule of a tensor."""
        return self.tensors.get(tensor, self.other)

    def dump(self) -> dict[str, Any]:
        """Return the rules as JSON values, which :func:`parse_capture_rules` reads."""
        return {
            "sample": self.sample,
            "retention_days": self.retention_days,
            "tensor": {name: rule.dump() for name, rule in sorted(self.tensors.items())},
            "other": self.other.dump(),
        }


def load_capture_rules(folder: Path) -> CaptureRules | None:
    """Return the rules in ``folder``'s ``capture.toml``; ``None`` if there is no file.

    Raises:
        SlipwayError: it is not TOML, or a key or value is invalid; names the tensor.
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
    return parse_capture_rules(values, where=str(path))


def parse_capture_rules(values: Mapping[str, Any], *, where: str) -> CaptureRules:
    """Return the rules that :meth:`CaptureRules.dump` or the file describes.

    Raises:
        SlipwayError: a key or value is unknown or invalid.
    """
    try:
        return _parse(values)
    except ValueError as error:
        raise SlipwayError(
            str(error), where=where, fix="docs/capture.md shows such a file"
        ) from error


def unknown_tensors(
    rules: CaptureRules, inputs: Sequence[str], outputs: Sequence[str]
) -> list[str]:
    """Return the tensors that the rules name and the model does not have: the ones that were meant
    would be kept whole. None is known where a config leaves its tensors to the server."""
    if not inputs or not outputs:
        return []
    return sorted(set(rules.tensors) - set(inputs) - set(outputs))


def refuse_unknown_tensors(
    rules: CaptureRules, inputs: Sequence[str], outputs: Sequence[str], folder: Path
) -> None:
    """Refuse rules of tensors that the model does not have.

    Raises:
        SlipwayError: names the first, and those that the model has.
    """
    unknown = unknown_tensors(rules, inputs, outputs)
    if unknown:
        raise SlipwayError(
            f"the model has no tensor {unknown[0]!r}",
            where=str(folder / FILE_NAME),
            fix=f"name one of {', '.join([*inputs, *outputs])}",
        )


def _parse(values: Mapping[str, Any]) -> CaptureRules:
    _refuse_unknown(values, KEYS)
    sample = values.get("sample", 1.0)
    if not _is_number(sample) or not 0 <= sample <= 1:
        raise ValueError(f"sample is {sample!r}: a share of the requests, from 0 to 1")
    days = values.get("retention_days", RETENTION_DAYS)
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= 3650:
        raise ValueError(f"retention_days is {days!r}: a whole number of days, from 1 to 3650")
    tables = values.get("tensor", {})
    if not isinstance(tables, dict):
        raise ValueError('tensor is not a table: write [tensor."<name>"]')
    tensors = {name: _rule(f'[tensor."{name}"]', table) for name, table in tables.items()}
    other = _rule("[other]", values["other"]) if "other" in values else TensorRule()
    return CaptureRules(float(sample), days, tensors, other)


def _rule(table: str, values: Any) -> TensorRule:
    if not isinstance(values, dict):
        raise ValueError(f'{table} is not a table: write keep = "hash" into it')
    try:
        _refuse_unknown(values, TENSOR_KEYS)
        keep = values.get("keep")
        if not isinstance(keep, str) or keep not in KEEP:
            raise ValueError(f"keep is {keep!r}: one of {', '.join(KEEP)}")
        pixels = values.get("pixels", PIXELS)
        if "pixels" in values and keep != "thumbnail":
            raise ValueError("pixels is of thumbnails only")
        if (
            not isinstance(pixels, int)
            or isinstance(pixels, bool)
            or not 1 <= pixels <= MOST_PIXELS
        ):
            raise ValueError(f"pixels is {pixels!r}: a whole number from 1 to {MOST_PIXELS}")
    except ValueError as error:
        raise ValueError(f"{table}: {error}") from error
    return TensorRule(KEEP[keep], pixels)


def _refuse_unknown(values: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; known are: {', '.join(known)}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
